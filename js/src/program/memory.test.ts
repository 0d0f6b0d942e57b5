import assert from "node:assert/strict";
import test from "node:test";
import { Memory } from "./memory.js";

const MiB = 1 << 20;

test("what streams take when they are read is needed, what comes later may be waste", () => {
  let now = 8 * MiB;
  const memory = new Memory(() => now);
  now = 255 * MiB;
  assert.equal(memory.wasted, false);
  now = 256 * MiB;
  assert.equal(memory.wasted, true);
  const one = memory.reading(), two = memory.reading();
  now += 100 * MiB;
  one();
  assert.equal(memory.wasted, false); // one is being read
  now += 50 * MiB;
  two(); // 158 needed in all, and not twice what came while both were read
  assert.equal(memory.wasted, false);
  now = 3 * 158 * MiB - 1;
  assert.equal(memory.wasted, false);
  now++;
  assert.equal(memory.wasted, true);
});
