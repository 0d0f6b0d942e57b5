import assert from "node:assert/strict";
import test from "node:test";
import { Rows, type Source } from "../rows/rows.js";
import { read } from "../rows/query.js";
import { assemble, type Early, type Stored } from "./early.js";

const counts = { head: 7, unsent: 1, refused: 2 };
const row = (id: string, n: number) => ({ id, type: "t", n });
const founding = JSON.stringify({ head: 0, unsent: 0, refused: 0, client: "c", conflictFree: true });
const base = JSON.stringify({ pages: ["5-0r", "5-1r"], ...counts, client: "c", conflictFree: false, ownRows: [row("a", 9)], ownGone: ["d"] });
const rows = new Map([["5-0r", JSON.stringify([row("a", 1), row("b", 2)])], ["5-1r", JSON.stringify([row("c", 3), row("d", 4)])], ["4-0r", "[]"]]);

const early = async (stored: Stored): Promise<Early> => {
  const found = await assemble(stored, () => Promise.resolve());
  if (typeof found === "number") throw new Error(`lack ${found}`);
  return found;
};
const shows = (e: Early) => [...e.table.query(read({ orderBy: "id" }))].map((r) => `${r.id}${String(r.n)}`).join(" ");

test("rows are those of the pages, then of what is pending, then of each record", async () => {
  const e = await early({ log: [5, 6, 7], at: [5, 6, 7], rows, texts: [base,
    JSON.stringify({ ...counts, head: 8, rows: [row("a", 10)], ownRows: [row("e", 5)], gone: ["b"] }),
    JSON.stringify({ ...counts, head: 9, unsent: 3, ownGone: ["e"], rows: [row("f", 6)], client: "c2" })] });
  assert.equal(shows(e), "a10 c3 f6");
  assert.deepEqual([...e.pending].sort(), ["d", "e"]);
  assert.deepEqual([e.lsn, e.head, e.unsent, e.refused, e.client, e.conflictFree], [7, 9, 3, 2, "c2", false]);
});

test("a log without a checkpoint begins with nothing", async () => {
  const e = await early({ log: [0, 1], at: [0, 1], rows, texts: [founding, JSON.stringify({ ...counts, ownRows: [row("a", 1)] })] });
  assert.equal(shows(e), "a1");
  assert.equal(e.conflictFree, true);
});

test("what lacks is told, and nothing is shown", async () => {
  const next = JSON.stringify(counts);
  const cases: [number, Stored][] = [
    [0, { log: [], at: [], texts: [], rows }],
    [1, { log: [5, 6], at: [5], texts: [base], rows }], // of the last record
    [1, { log: [5, 6, 7], at: [5, 7], texts: [base, next], rows }],
    [1, { log: [5, 6], at: [6, 7], texts: [next, next], rows }],
    [1, { log: [5], at: [4, 5], texts: [next, base], rows }], // of a record that is gone
    [1, { log: [5], at: [5], texts: [next], rows }], // the checkpoint is of a version that showed nothing
    [1, { log: [5, 7], at: [5, 7], texts: [base, next], rows }], // a hole
    [1, { log: [5, 6], at: [5, 6], texts: [base, "{"], rows }],
    [1, { log: [5, 6], at: [5, 6], texts: [base, "7"], rows }],
    [1, { log: [5, 6], at: [5, 6], texts: [base, '{"head":1}'], rows }],
    [1, { log: [0], at: [0], texts: [next], rows }], // whose log it is is not said
    [2, { log: [5], at: [5], texts: [base], rows: new Map([...rows].slice(1)) }],
    [2, { log: [5], at: [5], texts: [base], rows: new Map([...rows, ["5-1r", "[{"]]) }],
  ];
  for (const [i, [want, stored]] of cases.entries()) assert.equal(await assemble(stored, () => Promise.resolve()), want, `case ${i}`);
  await assert.rejects(assemble({ log: [5], at: [5], texts: [base], rows: new Map([...rows, ["5-1r", "[7,null]"]]) }, () => Promise.resolve()));
});

/** A source of some rows, at a record. */
const source = (all: { [id: string]: number }, lsn: number): Source & { asked: number } => ({
  asked: 0,
  piece() {
    this.asked++;
    return { text: JSON.stringify({ rows: Object.entries(all).map(([id, n]) => row(id, n)), gone: [] }), whole: true, more: false };
  },
  row: (id) => (id in all ? JSON.stringify(row(id, all[id]!)) : undefined),
  size: () => Object.keys(all).length,
  pending: () => ["x"],
  known: (at) => at === lsn,
  proof: () => ({ text: JSON.stringify({ rows: Object.entries(all).map(([id, n]) => row(id, n)), gone: [] }), whole: true, more: false }),
});

test("a source of the same record is not asked for rows; one of another record is", async () => {
  for (const [lsn, asked, want] of [[7, 0, "a9 b2 c3"], [8, 1, "a9 b2 c4"]] as const) {
    const e = await early({ log: [5], at: [5], texts: [base], rows });
    const tasks: (() => void)[] = [], known = new Rows((fn) => tasks.push(fn), { ...e, lsn: 7 }), before = known.get("a");
    assert.equal(known.waits("d"), true);
    const from = source({ a: 9, b: 2, c: lsn === 7 ? 3 : 4 }, lsn === 7 ? 7 : 9);
    known.attach(from);
    assert.equal(known.query(read({ orderBy: "id" })).map((r) => `${r.id}${String(r.n)}`).join(" "), want);
    assert.equal(from.asked, asked);
    assert.equal(known.get("a"), before, "a row that says the same is the same");
    let differ = 0;
    for (const task of tasks.splice(0)) task();
    assert.equal(differ, 0);
  }
});

test("rows that are not the source's are replaced, and that is told", async () => {
  for (const all of [{ a: 9, b: 2, c: 4 }, { a: 9, b: 2 }, { a: 9, b: 2, c: 3, z: 1 }] as { [id: string]: number }[]) {
    const e = await early({ log: [5], at: [5], texts: [base], rows });
    const tasks: (() => void)[] = [], known = new Rows((fn) => tasks.push(fn), e), from = source(all, 5);
    let differ = 0;
    known.attach(from, () => differ++);
    assert.equal(known.get("c")!.n, 3);
    for (const task of tasks.splice(0)) task();
    assert.equal(differ, 1);
    assert.deepEqual(Object.fromEntries(known.query(read({})).map((r) => [r.id, r.n])), all);
  }
});
