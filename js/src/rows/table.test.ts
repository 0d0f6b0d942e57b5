import assert from "node:assert/strict";
import test from "node:test";
import { liveRows } from "./live.js";
import { Notifier } from "./notifier.js";
import { read } from "./query.js";
import type { Row } from "../values/row.js";
import { Rows, type Piece, type Source } from "./rows.js";
import { Table } from "./table.js";
import { canonical } from "./values.js";
import type { Change } from "./watch.js";

/** Numbers that look random, from a seed. */
const random = (seed: number) => (n: number) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};

const queries = [{}, { type: "a" }, { orderBy: "n" }, { orderBy: { key: "n", direction: "desc" }, limit: 5 }, { where: { k: 2 } }, { type: "b", where: { k: { in: [1, 3] } }, orderBy: "n", offset: 2, limit: 4 },
  { where: { n: { gte: 5 } }, orderBy: ["k", "n"] }, { orderBy: "n", after: { id: "005", n: 4 }, limit: 3 }, { filter: (row: Row) => (row.n as number) % 2 === 0 }];

const make = (r: (n: number) => number): Row => ({ id: String(r(120)).padStart(3, "0"), type: "ab"[r(2)]!, n: r(10), k: r(4), deep: { x: [r(2)] } });

/** What a query gives over rows that nobody has kept anything about. */
const plain = (rows: Iterable<Row>, q: object) => {
  const t = new Table();
  t.put([...rows], []);
  return t.query(read(q));
};

test("views, indexes and live queries follow every change", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const r = random(seed), table = new Table(), want = new Map<string, Row>();
    const held = queries.map((q) => ({ q: read(q), view: table.hold(read(q)) }));
    for (let step = 0; step < 60; step++) {
      const rows: Row[] = [], gone: string[] = [];
      for (let n = r(10) === 0 ? 150 : r(4); n >= 0; n--) {
        const row = make(r);
        if (r(4) === 0) {
          gone.push(row.id);
          want.delete(row.id);
        } else rows.push(row);
      }
      const last = new Map(rows.map((row) => [row.id, row]));
      for (const id of gone) last.delete(id);
      for (const [id, row] of last) want.set(id, row);
      table.put([...last.values()], gone);
      const once = { where: { k: r(4), n: { gte: -step } } }; // of a shape that nobody has asked for: indexes alone help
      assert.deepEqual(table.query(read(once)), plain(want.values(), once));
      for (const { q, view } of held) {
        const rows = plain(want.values(), queries[held.findIndex((h) => h.q === q)]!);
        assert.deepEqual(view.window(q), rows, `seed ${seed}, step ${step}`);
        assert.deepEqual(table.query(q), rows);
      }
    }
  }
});

test("a row stays the same object while it says the same", () => {
  const t = new Table();
  t.put([{ id: "1", type: "a", x: { a: 1, b: [2] } }], []);
  const row = t.get("1")!;
  t.put([{ id: "1", type: "a", x: { b: [2], a: 1 } }], []);
  assert(t.get("1") === row && Object.isFrozen(row.x));
  t.put([{ id: "1", type: "a", x: { b: [3], a: 1 } }], []);
  assert(t.get("1") !== row);
});

/** A core that hands out its rows in pieces of two. */
class Core implements Source {
  readonly rows = new Map<string, Row>();
  #dirty = new Set<string>();
  #whole = true;
  pieces = 0;
  write(row: Row): void {
    this.rows.set(row.id, row);
    this.#dirty.add(row.id);
  }
  remove(id: string): void {
    this.rows.delete(id);
    this.#dirty.add(id);
  }
  piece(): Piece {
    this.pieces++;
    const whole = this.#whole;
    if (whole) for (const id of this.rows.keys()) this.#dirty.add(id);
    this.#whole = false;
    const rows: Row[] = [], gone: string[] = [];
    for (const id of [...this.#dirty].slice(0, 2)) {
      this.#dirty.delete(id);
      const row = this.rows.get(id);
      if (row) rows.push(row);
      else gone.push(id);
    }
    return { text: JSON.stringify({ rows, gone }), whole, more: this.#dirty.size > 0 };
  }
  row(id: string): string | undefined {
    const row = this.rows.get(id);
    return row && JSON.stringify(row);
  }
  anew(): void {
    this.#whole = true;
    this.#dirty.clear();
  }
  size(): number {
    return this.rows.size;
  }
  pending(): string[] {
    return [...this.rows.keys()].filter((id) => id < "05");
  }
  at = 0; // the record that it is at
  known(lsn: number): boolean {
    this.#whole = lsn !== this.at;
    this.#dirty.clear();
    return !this.#whole;
  }
  #left: string[] = [];
  proof(begin: boolean): Piece {
    if (begin) this.#left = [...this.rows.keys()];
    const ids = this.#left.splice(0, 2), rows = ids.map((id) => this.rows.get(id));
    return { text: JSON.stringify({ rows: rows.filter((row) => row), gone: ids.filter((_, i) => !rows[i]) }), whole: begin, more: this.#left.length > 0 };
  }
}

const setup = () => {
  const core = new Core(), tasks: (() => void)[] = [], warnings: string[] = [];
  const rows = new Rows((fn) => tasks.push(fn));
  const notifier = new Notifier(rows, { ready: () => true, later: (fn) => tasks.push(fn), warn: (code) => warnings.push(code) });
  rows.attach(core);
  const changed = () => {
    rows.changed();
    notifier.changed(false);
  };
  const run = async () => {
    for (let i = 0; i < 50; i++) {
      await Promise.resolve();
      tasks.shift()?.();
    }
  };
  return { core, rows, notifier, changed, run, tasks, warnings };
};

const row = (n: number, more: object = {}): Row => ({ id: String(n).padStart(2, "0"), type: "a", n, ...more });

test("one row can be read before the others are there, and is the same one then", async () => {
  const { core, rows, run, tasks } = setup();
  for (let n = 0; n < 9; n++) core.write(row(n));
  const one = rows.get("03");
  assert.equal(core.pieces, 0);
  assert.equal(rows.get("99"), undefined);
  assert.equal(tasks.length, 1);
  await run();
  assert(core.pieces >= 4 && rows.get("03") === one);
  assert.equal(rows.query(read({})).length, 9);
});

test("what is removed, or begins anew, before the table is full is not in it", async () => {
  const { core, rows, changed } = setup();
  for (let n = 0; n < 5; n++) core.write(row(n));
  rows.get("03");
  core.rows.delete("03"); // the core tells nobody who has not read
  assert.deepEqual(rows.query(read({})).map((r) => r.id), ["00", "01", "02", "04"]);
  assert.equal(rows.get("03"), undefined);
  const other = setup();
  for (let n = 0; n < 5; n++) other.core.write(row(n));
  other.rows.step(); // half of it
  other.core.anew();
  other.core.rows.delete("00");
  other.core.rows.delete("01");
  assert.deepEqual(other.rows.query(read({})).map((r) => r.id), ["02", "03", "04"]);
  changed();
});

test("nobody is told of what came back as it was", async () => {
  const { core, notifier, changed, rows, run } = setup();
  core.write(row(1));
  core.write(row(2));
  const whole: Change[] = [], cut: Change[] = [];
  notifier.add(read({}), (_, change) => whole.push(change));
  notifier.add(read({ limit: 5 }), (_, change) => cut.push(change));
  core.write(row(1, { x: 1 }));
  changed();
  notifier.add(read({ type: "a" }), () => {}); // owes the others the change
  core.write(row(1));
  changed();
  await run();
  assert.deepEqual([whole, cut], [[], []]);
  core.write(row(1, { x: 1 }));
  changed();
  rows.fresh();
  core.write(row(1));
  core.write(row(2, { y: 1 }));
  changed();
  await run();
  assert.deepEqual([whole.map((c) => c.changed), cut.map((c) => c.changed)], [[["02"]], [["02"]]]);
});

test("live queries are never shown half of a turn, and are told once", async () => {
  const { core, rows, notifier, changed, run } = setup();
  for (let n = 0; n < 9; n++) core.write(row(n));
  const told: [number, Change][] = [];
  const s = notifier.add(read({}), (r, change) => told.push([r.length, change]));
  assert.equal(s.rows.length, 9);
  for (let n = 9; n < 19; n++) core.write(row(n));
  core.remove("00");
  changed();
  await run();
  assert.equal(told.length, 1);
  assert.deepEqual([told[0]![0], told[0]![1].added.length, told[0]![1].removed], [18, 10, ["00"]]);
  // A read in between takes what is left, and the subscriber is told all the same.
  for (let n = 1; n < 9; n++) core.write(row(n, { again: true }));
  changed();
  assert.equal(rows.query(read({ where: { again: true } })).length, 8);
  await run();
  assert.deepEqual(told[1]![1].changed.length, 8);
  // Who begins between a change and the telling of it has it already; the other is told.
  core.write(row(50));
  changed();
  const second: Change[] = [];
  notifier.add(read({}), (_, change) => second.push(change));
  await run();
  assert.deepEqual([told[2]![1].added, second.length], [["50"], 0]);
});

test("a row that comes back as it was is no change", async () => {
  const { core, notifier, changed, rows, run } = setup();
  core.write(row(1));
  const told: Change[] = [];
  notifier.add(read({}), (_, change) => told.push(change));
  core.write(row(1, { x: 1 }));
  changed();
  rows.fresh();
  core.write(row(1));
  changed();
  await run();
  assert.equal(told.length, 0);
});

test("another core under the same table: what is the same stays, what is not there is gone", async () => {
  const { core, rows, notifier, run } = setup();
  for (let n = 0; n < 5; n++) core.write(row(n));
  const told: Change[] = [];
  const s = notifier.add(read({}), (_, change) => told.push(change));
  const same = s.rows[2];
  rows.detach();
  assert.equal(rows.query(read({})).length, 5); // it can be read meanwhile
  const next = new Core();
  for (let n = 1; n < 7; n++) next.write(row(n));
  rows.attach(next);
  notifier.changed(true);
  await run();
  assert.deepEqual(told, [{ added: ["05", "06"], changed: [], removed: ["00"], origin: "remote" }]);
  assert(rows.get("02") === same);
});

test("pending and not", async () => {
  const { core, rows, notifier, changed, run } = setup();
  for (let n = 3; n < 8; n++) core.write(row(n));
  assert.deepEqual(rows.query(read({ pending: true })).map((r) => r.id), ["03", "04"]);
  assert.equal(rows.count(read({ pending: false })), 3);
  const told: Change[] = [];
  notifier.add(read({ pending: true }), (_, change) => told.push(change));
  core.write(row(1));
  changed();
  await run();
  assert.deepEqual(told.map((c) => c.added), [["01"]]);
  rows.detach(); // while the program is started anew
  assert.deepEqual(rows.query(read({ pending: true })).map((r) => r.id), ["01", "03", "04"]);
});

test("a subscriber that always writes leaves the page its turn; a filter that throws hurts nobody else", async () => {
  const { core, notifier, changed, run, tasks, warnings } = setup();
  core.write(row(1));
  let calls = 0;
  const s = notifier.add(read({}), () => {
    core.write(row(1, { calls: ++calls }));
    changed();
  });
  core.write(row(2));
  changed();
  for (let i = 0; i < 500; i++) await Promise.resolve();
  assert(calls > 10 && calls < 200 && tasks.length > 0, `${calls} calls`);
  assert.deepEqual(warnings, ["subscriber"]);
  s.end();
  await run();
  let bad = false;
  const good: Change[] = [], late: Change[] = [];
  notifier.add(read({ filter: () => { if (bad) throw new Error("of the app"); return true; } }), (_, change) => late.push(change));
  notifier.add(read({}), (_, change) => good.push(change));
  bad = true;
  core.write(row(7));
  changed();
  await run();
  assert.deepEqual([good.length, late.length, warnings.at(-1)], [1, 0, "filter"]);
  bad = false;
  core.write(row(8));
  changed();
  await run();
  core.write(row(9));
  changed();
  await run();
  assert.deepEqual(late.flatMap((c) => c.added).sort(), ["07", "08", "09"]);
});

test("a live value", async () => {
  const { core, rows, notifier, changed, run } = setup();
  core.write(row(1));
  const live = liveRows(rows, notifier, read({ where: { n: { gte: 0 } } }), () => {}, (all) => all);
  const first = live.current;
  assert(first.length === 1 && live.current === first);
  const told: number[] = [];
  const stop = new AbortController();
  live.subscribe((r) => told.push(r.length), { signal: stop.signal });
  assert(told.length === 0 && live.current === first);
  core.write(row(2));
  changed();
  await run();
  assert(told.join() === "2" && live.current.length === 2 && live.current === live.current);
  stop.abort();
  core.write(row(3));
  changed();
  await run();
  assert(told.join() === "2" && live.current.length === 3);
  const seen: number[] = [];
  const loop = (async () => {
    for await (const r of live) if (seen.push(r.length) === 2) break;
  })();
  await run();
  core.write(row(4));
  changed();
  await run();
  await loop;
  assert.deepEqual(seen, [3, 4]);
  const closed = (async () => {
    for await (const r of live) seen.push(r.length);
  })();
  await run();
  notifier.end(); // the stream is closed
  await closed;
  assert.deepEqual(seen, [3, 4, 4]);
});

test("canonical text", () => {
  assert.equal(canonical({ b: [1, { z: null, a: "x" }], a: -0, "10": 1, "9": 2 }), '{"10":1,"9":2,"a":0,"b":[1,{"a":"x","z":null}]}');
});
