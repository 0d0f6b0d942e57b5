// The mistakes that the types catch, and what they let pass: each right use beside the wrong one.
import { bigint, bytes, date, increment, open, union, unset, without, type Codec, type Id, type Query, type Row, type Stream, type Transaction } from "strandline";

interface Address { street: string; city?: string }
interface Person { name: string; tags: string[]; address: Address; age?: number; role: "admin" | "guest" }
interface Todo { title: string; done: boolean; due?: string }
interface App { person: Person; todo: Todo }

const db = await open({ name: "x" });
const s = await db.stream<App>("a");
const todo = await s.create("todo", { title: "A", done: false });
const person = await s.create("person", { name: "A", tags: [], address: { street: "s" }, role: "guest" });

// Narrowing by type.
for (const row of s.query()) {
  if (row.type === "todo") row.title satisfies string;
  else row.tags satisfies readonly string[];
}

// Orders as readonly tuples.
const orders = ["name", { key: "age", direction: "desc" }] as const;
s.query({ type: "person", orderBy: orders });

// A stream of any schema.
function count<S>(stream: Stream<S>): number {
  return stream.count() + stream.query().length;
}
count(s);
function head(stream: Stream<any>): number {
  return stream.head;
}
head(s);
export function first<S, T extends keyof S & string>(stream: Stream<S>, type: T): Row<S, T> | undefined {
  return stream.query({ type } as Query<S, T>)[0];
}
first(s, "todo")?.title satisfies string | undefined;

// where
s.query({ type: "todo", where: { done: false, title: { startsWith: "A" }, due: { gt: "2026" } } });
s.query({ where: { or: [{ title: "x" }, { role: "admin" }], not: { "/address/city": "Ulm" } } });
s.query({ type: "person", where: { "/tags/0": "a", tags: { has: "a" }, age: { in: [1, 2] }, "/address": { eq: { street: "s" } } } });
// @ts-expect-error a misspelled key
s.query({ type: "todo", where: { titel: "x" } });
// @ts-expect-error a wrong value
s.query({ type: "todo", where: { done: "yes" } });
// @ts-expect-error no member of the enumeration
s.query({ type: "person", where: { role: "root" } });
// @ts-expect-error a number has no beginning
s.query({ type: "person", where: { age: { startsWith: "1" } } });
// @ts-expect-error a boolean is not larger than another
s.query({ type: "todo", where: { done: { gt: true } } });
// @ts-expect-error a misspelled path
s.query({ type: "person", where: { "/address/town": "Ulm" } });
// @ts-expect-error an object as a value is compared with eq
s.query({ type: "person", where: { address: { street: "s" } } });
// @ts-expect-error an element of another type
s.query({ type: "person", where: { tags: { has: 1 } } });
// @ts-expect-error a misspelled operator
s.query({ type: "todo", where: { title: { contains: "x" } } });
// @ts-expect-error a misspelled key within or
s.query({ type: "todo", where: { or: [{ titel: "x" }] } });

// orderBy
// @ts-expect-error a misspelled key
s.query({ type: "todo", orderBy: "titel" });
// @ts-expect-error a misspelled key
s.query({ type: "todo", orderBy: [{ key: "titel" }] });

// Patches.
s.update(todo, { title: "B", due: unset() });
s.update(person, { age: increment(), tags: union("a"), role: "admin" });
s.update(person, { tags: without("a", "b") });
// @ts-expect-error a misspelled key
s.update(todo, { titel: "B" });
// @ts-expect-error a wrong value
s.update(todo, { done: "yes" });
// @ts-expect-error no member of the enumeration
s.update(person, { role: "root" });
// @ts-expect-error nothing is added to a text
s.update(todo, { title: increment() });
// @ts-expect-error a text has no elements
s.update(todo, { title: union("a") });
// @ts-expect-error elements of another type
s.update(person, { tags: union(1) });
// @ts-expect-error a key that each has cannot be taken away
s.update(todo, { title: unset() });
// @ts-expect-error of another type
s.update(todo, { name: "B" });
s.update(location.hash, { title: "B" }); // an id that came from elsewhere is of any type

// What is created.
// @ts-expect-error undefined for a key that each has
s.create("todo", { title: undefined, done: false });
// @ts-expect-error a key is missing
s.create("todo", { title: "A" });
// @ts-expect-error a key too many
s.create("todo", { title: "A", done: false, color: "red" });

// Transactions.
s.transact((tx) => {
  const id = tx.create("todo", { title: "A", done: false });
  tx.update(id, { done: true });
  // @ts-expect-error a misspelled key
  tx.update(id, { dnoe: true });
});
// @ts-expect-error it is over when the function returns
s.transact(async (tx) => { tx.remove(todo); });
export function helper(tx: Transaction<App>): void {
  tx.remove(todo);
}

// Rows are frozen, all through.
const row = s.get(person)!;
row.name satisfies string;
// @ts-expect-error a frozen array
row.tags.push("x");
// @ts-expect-error a frozen object
row.address.street = "x";
// @ts-expect-error a frozen row
row.name = "x";
s.edit(person, (draft) => { draft.tags.push("x"); draft.address.city = "Ulm"; });

// Ids are of a type.
s.get(todo)?.title satisfies string | undefined;
// @ts-expect-error the id of another type
s.get<"person">(todo);
const id: Id<"todo"> = todo;
// @ts-expect-error the id of another type
const wrong: Id<"person"> = id;
void wrong;
s.get<"person">(location.hash)?.name;

// id and type are in every row.
// @ts-expect-error a field of a name that every row has
await db.stream<{ todo: { id: string } }>("b");
// @ts-expect-error a field of a name that every row has
await db.stream<{ todo: { type: "a" } }>("b");

// Codecs.
class Money {
  constructor(readonly cents: number) {}
  plus(other: Money): Money { return new Money(this.cents + other.cents); }
}
const money: Codec<Money, number> = { encode: (m) => m.cents, decode: (n) => new Money(n), ordered: true };
interface Shop { order: { at: Date; total: Money; serial?: bigint; seal: Uint8Array; note?: string } }
const shop = await db.stream<Shop>("shop", { schema: { order: { codecs: { at: date, total: money, serial: bigint, seal: bytes } } } });
const order = await shop.create("order", { at: new Date(), total: new Money(1), seal: new Uint8Array(1) });
shop.get(order)!.at.getTime() satisfies number;
shop.get(order)!.total.plus(new Money(2));
shop.query({ type: "order", where: { at: { gt: new Date() }, total: new Money(3) }, orderBy: "at" });
shop.update(order, { at: new Date(), serial: unset() });
// @ts-expect-error what is kept is not what is read
shop.update(order, { at: "2026" });
// @ts-expect-error a field that is not JSON takes a codec
await db.stream<Shop>("shop", { schema: { order: { codecs: { at: date } } } });
// @ts-expect-error a field that is not JSON takes a codec
await db.stream<Shop>("shop");
// @ts-expect-error the codec of something else
await db.stream<Shop>("shop", { schema: { order: { codecs: { at: bigint, total: money, serial: bigint, seal: bytes } } } });

// A stream of any schema, where nothing is said of it.
function size(stream: Stream): number {
  return stream.query({ where: { title: "x" } }).length + stream.count();
}
size(s);
size(shop);
size(await db.stream("plain"));
