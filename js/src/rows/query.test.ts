import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { InvalidError } from "../values/errors.js";
import { read } from "./query.js";
import type { Row } from "../values/row.js";
import { Table } from "./table.js";

// 1,500 random queries over 240 random rows, with the answers of the core that once had queries.
const cases = JSON.parse(readFileSync(`${process.env.STRANDLINE_SRC}/rows/testdata/queries.json`, "utf8")) as { rows: Row[]; cases: [object, number, number[]][] };

const table = (rows: readonly Row[]) => {
  const t = new Table();
  t.put([...rows], []);
  return t;
};

test("queries give what the core gave, whatever is kept between them", () => {
  const all = table(cases.rows);
  for (const round of [1, 2, 3]) {
    const fresh = round === 1 ? null : all; // the first round plans each one anew
    for (const [q, count, want] of cases.cases) {
      const t = fresh ?? table(cases.rows);
      const plan = read(q);
      const got = t.query(plan).map((row) => row.id).join(), wanted = want.map((i) => cases.rows[i]!.id).join();
      if (got !== wanted || t.count(plan) !== count) assert.deepEqual([got, t.count(plan)], [wanted, count], JSON.stringify(q)); // thousands: nothing is formatted that is right
    }
  }
});

const rows: Row[] = [
  { id: "1", type: "todo", n: 3, title: "Äpfel", tags: ["a", "b"], at: { city: "Bern", "a/b": [10, 20] }, or: 1 },
  { id: "2", type: "todo", n: 1, title: "zebra", done: true, at: { city: "Basel" } },
  { id: "3", type: "note", n: 2, title: "apple" },
  { id: "4", type: "todo", title: "Apfel", n: null },
] as unknown as Row[];

const ids = (q: object) => table(rows).query(read(q)).map((row) => row.id).join("");

test("what the core could not ask", () => {
  assert.equal(ids({ where: { or: [{ n: 3 }, { done: true }] } }), "12");
  assert.equal(ids({ where: { not: { type: "todo" } } }), "3");
  assert.equal(ids({ where: { and: [{ n: { gte: 1 } }, { n: { lt: 3 } }] } }), "23");
  assert.equal(ids({ where: { title: { startsWith: "Ap" } } }), "4");
  assert.equal(ids({ where: { "/at/city": { in: ["Bern", "Basel"] } } }), "12");
  assert.equal(ids({ where: { "/at/a~1b/1": 20 } }), "1");
  assert.equal(ids({ where: { "/or": 1 } }), "1");
  assert.equal(ids({ where: { at: { eq: { city: "Basel" } } } }), "2");
  assert.equal(ids({ filter: (row: Row) => row.type === "note" }), "3");
  assert.equal(ids({ orderBy: "title" }), "4321");
  assert.equal(ids({ orderBy: { key: "title", collator: new Intl.Collator("de") } }), "4132");
  assert.equal(ids({ orderBy: { key: "n", direction: "desc" }, after: rows[0] }), "324");
  assert.equal(ids({ orderBy: "n", after: { id: "4", n: null }, limit: 2 }), "23");
  assert.equal(ids({ orderBy: "n", after: { id: "22", n: 1 } }), "31"); // one that is gone
  assert.equal(ids({ where: { constructor: { ne: 1 } } }), "1234");
  assert.equal(ids({ where: { __proto__x: 1 } }), "");
});

test("what is wrong is told with its place", () => {
  const wrong: [object, string][] = [
    [{ typ: "todo" }, "/typ"],
    [{ type: undefined }, "/type"],
    [{ type: "" }, "/type"],
    [{ type: 1 }, "/type"],
    [{ where: [] }, "/where"],
    [{ where: new Map([["n", 1]]) }, "/where"],
    [{ where: new Date() }, "/where"],
    [{ where: { toJSON: () => 1 } }, "/where"],
    [{ where: { n: undefined } }, "/where/n"],
    [{ where: { n: { gt: undefined } } }, "/where/n/gt"],
    [{ where: { title: { contains: "x" } } }, "/where/title/contains"],
    [{ where: { title: { $gt: "x" } } }, "/where/title/$gt"],
    [{ where: { at: {} } }, "/where/at"],
    [{ where: { "a/b": { in: 1 } } }, "/where/a~1b/in"],
    [{ where: { or: {} } }, "/where/or"],
    [{ where: { or: [{ a: { b: 1 } }] } }, "/where/or/0/a/b"],
    [{ where: { n: NaN } }, "/where/n"],
    [{ where: { n: "\ud800" } }, "/where/n"],
    [{ where: { n: () => 1 } }, "/where/n"],
    [{ where: { t: { startsWith: 1 } } }, "/where/t/startsWith"],
    [{ orderBy: { ky: "n" } }, "/orderBy/ky"],
    [{ orderBy: [{ direction: "asc" }] }, "/orderBy/0/key"],
    [{ orderBy: { key: "n", direction: "down" } }, "/orderBy/direction"],
    [{ orderBy: 5 }, "/orderBy"],
    [{ limit: -1 }, "/limit"],
    [{ limit: 1.5 }, "/limit"],
    [{ offset: "1" }, "/offset"],
    [{ after: {} }, "/after"],
    [{ pending: 1 }, "/pending"],
    [{ filter: 1 }, "/filter"],
  ];
  for (const [q, path] of wrong) {
    assert.throws(() => read(q), (e) => e instanceof InvalidError && e.path === path, JSON.stringify(q));
  }
});
