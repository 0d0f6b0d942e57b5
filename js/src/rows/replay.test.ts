import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { Notifier } from "./notifier.js";
import { read } from "./query.js";
import type { Row } from "../values/row.js";
import { Rows, type Piece } from "./rows.js";
import { canonical } from "./values.js";

type Line = { attach?: true; piece?: object; whole?: boolean; more?: boolean; all?: { rows: Row[] } };

const dir = process.env.STRANDLINE_CHANGES ?? "";
const files = dir ? readdirSync(dir).filter((file) => file.endsWith(".jsonl")) : [];

const text = (rows: Iterable<Row>) => [...rows].map(canonical).sort().join("\n");
const queries = [{}, { where: { n: { gte: 1 } }, orderBy: [{ key: "n", direction: "desc" }, "k1"] }, { where: { x: { has: 2 } }, limit: 3 }].map(read);

// What the simulator's histories give to pages, piece by piece: the table holds the fold, and live queries follow it.
for (const file of files) {
  test(file, async () => {
    const tasks: (() => void)[] = [];
    let pieces: Piece[] = [];
    const rows = new Rows((fn) => tasks.push(fn));
    const warned: unknown[] = [];
    const notifier = new Notifier(rows, { ready: () => true, later: (fn) => tasks.push(fn), warn: (_code, _message, cause) => warned.push(cause) });
    let now: Row[] = [];
    const row = (id: string) => {
      const found = now.find((r) => r.id === id);
      return found && JSON.stringify(found);
    };
    const source = () => ({ piece: () => pieces.shift()!, row, size: () => now.length, pending: () => [], known: () => false, proof: () => pieces[0]! });
    let lives: { rows: readonly Row[] }[] | null = null;
    let kept = new Map<string, Row>(); // what live queries were told
    for (const line of readFileSync(`${dir}/${file}`, "utf8").trim().split("\n").map((l) => JSON.parse(l) as Line)) {
      if (line.attach) {
        rows.attach(source());
        pieces = [];
        continue;
      }
      pieces.push({ text: JSON.stringify(line.piece), whole: line.whole!, more: line.more! });
      now = line.all?.rows ?? now;
      rows.changed();
      const before = text(rows.table.query(queries[0]!));
      while (pieces.length > 0 && !rows.step());
      if (line.more) {
        if (lives) assert.equal(text(rows.table.query(queries[0]!)), before, "half of it is seen");
        continue;
      }
      const want = line.all!.rows;
      assert.equal(text(rows.table.query(queries[0]!)), text(want));
      lives ??= queries.map((q) => notifier.add(q, (now, change) => {
        if (q !== queries[0]) return;
        for (const id of [...change.added, ...change.changed]) kept.set(id, now.find((row) => row.id === id)!);
        for (const id of change.removed) assert(kept.delete(id), "what was not there is gone");
      }));
      if (kept.size === 0) kept = new Map(lives[0]!.rows.map((row) => [row.id, row]));
      notifier.changed(true);
      for (let i = 0; i < 3; i++) await Promise.resolve();
      while (tasks.length > 0) tasks.shift()!();
      for (const [i, live] of lives.entries()) assert.deepEqual(live.rows, rows.table.query({ ...queries[i]!, shape: null }), "a live query differs from the same one asked anew");
      assert.equal(text(kept.values()), text(want), "what was told does not add up");
    }
    assert.deepEqual(warned, []);
  });
}
