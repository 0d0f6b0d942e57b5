import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { read } from "../rows/query.js";
import { assemble } from "./early.js";

const dir = process.env.STRANDLINE_CHANGES ?? "";
const files = dir ? readdirSync(dir).filter((file) => file.endsWith(".shown")) : [];
type Line = { at: number[]; texts: string[]; rows: { [name: string]: string }; want: unknown };

// What the simulator stored is shown as what its logs say.
for (const file of files) {
  test(file, async () => {
    for (const line of readFileSync(`${dir}/${file}`, "utf8").trim().split("\n").map((l) => JSON.parse(l) as Line)) {
      const e = await assemble({ log: line.at, at: line.at, texts: line.texts, rows: new Map(Object.entries(line.rows)) }, () => Promise.resolve());
      if (typeof e === "number") throw new Error(`lack ${e}`);
      assert.deepEqual([e.table.query(read({ orderBy: "id" })), [...e.pending].sort(), e.head, e.unsent, e.refused, e.client], line.want, file);
    }
  });
}
