import assert from "node:assert/strict";
import test from "node:test";
import { Rows, type Source } from "./rows.js";
import { bare, Sight, unviewed, type Newer, type Viewing } from "../values/sight.js";
import { Table } from "./table.js";
import { read } from "./query.js";
import type { Row } from "../values/row.js";

const row = (id: string, more: object = {}): Row => ({ type: "todo", id, ...more }) as Row;
const written = (id: string, counts: number[], fields: object): Row => row(id, { "": counts, ...fields });
const rename: Viewing = (r, newer) => ({ title: newer("name", "title") ? r.name : r.title ?? r.name });
const make = (views: { [type: string]: Viewing }, warned: string[] = []) => new Sight((type) => views[type], (message) => warned.push(message));

test("a view gives the shape of now, by what was written last; without one what says so is taken away", () => {
  const { see } = make({ todo: rename });
  assert.deepEqual(see(written("1", [1, 1], { title: "new", name: "newer" })), { id: "1", type: "todo", title: "newer" });
  assert.deepEqual(see(written("1", [1, 1], { name: "old", title: "newer" })), { id: "1", type: "todo", title: "newer" });
  assert.deepEqual(see(written("1", [2], { name: "same", title: "write" })), { id: "1", type: "todo", title: "write" });
  assert.deepEqual(see(written("1", [1], { name: "alone" })), { id: "1", type: "todo", title: "alone" });
  const plain = make({}).see;
  assert.deepEqual(plain(written("1", [1], { name: "x" })), { id: "1", type: "todo", name: "x" });
  const same = row("1", { name: "x" });
  assert.equal(bare(same), same);
});

test("newer says nothing of keys that are not there, and of what no order is known of", () => {
  const asked: boolean[] = [];
  const ask = (r: Row, newer: Newer) => {
    asked.push(newer("a", "b"), newer("b", "a"), newer("a", "none"), newer("none", "a"));
    return r;
  };
  const { see } = make({ todo: ask });
  see(written("1", [1, 2], { b: 1, a: 2, c: 3 }));
  see(row("1", { b: 1, a: 2 }));
  see(written("1", [2, 1], { "7": 0, b: 1, a: 2 })); // whole numbers come first in any object
  assert.deepEqual(asked, [true, false, true, false, ...Array<boolean>(8).fill(false)]);
});

test("a view that throws, lies or promises gives the row as it is kept, marked, counted and told once", () => {
  const warned: string[] = [];
  let view: Viewing = () => { throw new Error("mine"); };
  const sight = make({ todo: (r, newer) => view(r, newer) }, warned);
  const kept = sight.see(written("1", [1], { n: 1 }));
  assert.deepEqual([{ ...kept }, (unviewed(kept) as Error).message], [{ id: "1", type: "todo", n: 1 }, "mine"]);
  const round: { [key: string]: unknown } = {};
  round.round = round;
  const lies = [() => null, () => [1], () => Promise.resolve({}), () => 7, () => ({ at: new Date() }), () => ({ b: new Uint8Array(1) }), () => round, () => ({ n: NaN }), () => ({ f: () => 1 }),
    () => ({ get bad() { throw new TypeError("mine"); } }), () => new Proxy({}, { ownKeys: () => { throw new TypeError("mine"); } })];
  for (const lie of lies) {
    view = lie as never;
    assert(unviewed(sight.see(row("2", { n: 1 }))) instanceof TypeError);
  }
  view = () => ({ id: "other", type: "other", n: undefined, m: 1 });
  assert.deepEqual(sight.see(row("1", { n: 1 })), { id: "1", type: "todo", m: 1 });
  assert.equal(warned.length, 1);
  const mine = { tags: ["a"] };
  view = () => mine;
  sight.see(row("1"));
  assert(!Object.isFrozen(mine.tags)); // an app's own is not frozen
  view = () => JSON.parse('{"__proto__": 1}') as object;
  assert.equal(Object.getOwnPropertyDescriptor(sight.see(row("1")), "__proto__")!.value, 1);
  view = (r) => Object.assign(r, { n: 2 }); // a row is frozen
  assert(unviewed(sight.see(row("3", { n: 1 }))) instanceof TypeError);
});

test("a table shows rows as they are viewed: they are asked for, sorted and told of so", () => {
  const { see } = make({ todo: rename });
  const table = new Table(see);
  table.watchers = 1;
  table.put([written("1", [1], { name: "b" }), written("2", [1], { name: "a" })], []);
  table.take();
  assert.deepEqual(table.query(read({ orderBy: "title" })).map((r) => r.title), ["a", "b"]);
  table.put([written("1", [1, 1], { title: "b", name: "b" })], []); // says the same
  assert.equal(table.take().length, 0);
  table.put([written("1", [1, 1], { name: "b", title: "c" })], []);
  assert.deepEqual(table.take().map((c) => c.after?.title), ["c"]);
});

test("rows that were kept as they came are shown when it is known how", () => {
  const raw = () => {
    const table = new Table(null);
    table.put([written("1", [1, 1], { title: "x", name: "y" }), row("2", { name: "z" })], []);
    table.put([written("1", [1, 1], { name: "y", title: "x" })], []); // another order
    return table;
  };
  assert.deepEqual([raw().tells([]), raw().tells(["todo"]), raw().tells(["other"])], [true, false, true]);
  const known = { lsn: 1, table: raw(), pending: new Set<string>() };
  const rows = new Rows((fn) => fn(), known, make({ todo: rename }).see, true);
  assert.deepEqual([rows.get("1")!.title, rows.get("2")!.title], ["x", "z"]);
  const without = new Rows((fn) => fn(), { ...known, table: raw() });
  assert.deepEqual({ ...without.get("1") }, { id: "1", type: "todo", name: "y", title: "x" });
});

test("a source's rows are viewed, and found to be those of before", () => {
  const all = [written("1", [1], { name: "a" })];
  const source: Source = {
    piece: () => ({ text: JSON.stringify({ rows: all, gone: [] }), whole: true, more: false }), row: () => JSON.stringify(all[0]), size: () => 1,
    pending: () => [], known: () => false, proof: () => ({ text: JSON.stringify({ rows: all, gone: [] }), whole: true, more: false }),
  };
  const rows = new Rows((fn) => fn(), undefined, make({ todo: rename }).see, true);
  rows.attach(source);
  const first = rows.query(read({}))[0];
  assert.equal(first!.title, "a");
  rows.changed();
  assert.equal(rows.query(read({}))[0], first);
  assert.deepEqual(rows.differing(), []);
});
