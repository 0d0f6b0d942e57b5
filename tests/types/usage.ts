// What apps in TypeScript rely on: types and interfaces as schemas, and errors where they are wrong. make lint compiles it.
import { open, type Json, type Stream } from "strandline";
interface Address { street: string; no?: number }
interface Person { name: string; tags: string[]; address: Address; age?: number }
interface App { person: Person; todo: { title: string; done?: boolean; tags?: string[] } }
const db = await open({ name: "x" });
const s = await db.stream<App>("a");
await s.create("person", { name: "A", tags: [], address: { street: "s" } });
s.query({ type: "person" })[0]!.address.street;
const live = s.live({ type: "todo", where: { or: [{ title: { startsWith: "a" } }, { "/tags/0": "b" }], not: { done: true } }, orderBy: [{ key: "title", collator: new Intl.Collator("de") }, "id"] as const, pending: true });
const title: string | undefined = live.current[0]?.title;
live.subscribe((rows, change) => [rows[0]!.title, change.added[0]], { signal: AbortSignal.timeout(1000) });
s.query({ type: "todo", after: live.current[0] ?? null, filter: (row) => row.title === title });
const loose: Promise<readonly string[]> = db.stream("d").then((d) => d.create("x", [{ a: 1 }]));
loose.catch(() => {});
const many: Promise<readonly string[]> = s.create("todo", [{ title: "a" }, { title: "b" }]);
many.catch(() => {});
// @ts-expect-error a row that lacks what the type has
s.create("todo", [{ text: "a" }]);
// @ts-expect-error no such direction
s.query({ orderBy: { key: "title", direction: "down" } });
s.subscribe({ type: "todo" }, (rows) => rows[0]!.title);
s.edit<"person">("id", (p) => { p.address.street = "x"; });
s.transact((tx) => { tx.create("todo", { title: "x" }); });
const plain = await db.stream("b");
await plain.create("anything", { a: 1 });
plain.query()[0]!["a"];
interface Bad { x: { when: Date } }
// @ts-expect-error a Date is not JSON
await db.stream<Bad>("c");
// @ts-expect-error no such type
await s.create("nope", {});
// @ts-expect-error a wrong field
await s.create("todo", { title: 1 });
export const any: Stream = plain;
type T = { todo: { title: string } };
export const t2 = await db.stream<T>("d");

// Data streams.
export async function data(): Promise<void> {
  const log = await db.data("log/1", { keep: { entries: 100 } });
  const write = log.append({ n: 1 });
  await write;
  const index: number = await write.persisted;
  const values: (Json | Uint8Array)[] = (await log.read({ after: log.head, limit: index })).map((e) => e.value);
  const stop: () => void = log.subscribe((entries, from) => entries.slice(from).forEach((e) => values.push(e.value)));
  log.on("progress", ({ id, sent, size }) => console.log(id, sent / size));
  await plain.create("photo", { file: log.ref(write) });
  stop();
  // @ts-expect-error no such option
  await db.data("log/1", { keep: "some" });
  // @ts-expect-error a function is no JSON
  log.append(() => {});
}
{
  using typing = s.group();
  using end = s.on("status", () => {}, { signal: AbortSignal.timeout(1000) });
  end();
  typing();
}
const undoable: boolean | undefined = s.live.undoable.current?.undo ?? s.undoable()?.redo;
void undoable;
