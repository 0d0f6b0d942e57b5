import assert from "node:assert/strict";
import test from "node:test";
import { Events } from "./events.js";

test("what is known already is told once, guarded, and not after the end", async () => {
  const thrown: unknown[] = [], heard: string[] = [];
  const events = new Events<{ news: string }>(["news"], (e) => thrown.push(e));
  events.on("news", (e) => heard.push(e), "old");
  events.on("news", () => { throw new Error("mine"); }, "old");
  events.on("news", (e) => heard.push(`never ${e}`), "old")();
  assert.deepEqual(heard, []);
  await Promise.resolve();
  assert.deepEqual([heard, thrown.length], [["old"], 1]);
  events.emit("news", "new");
  assert.deepEqual([heard, thrown.length], [["old", "new"], 2]);
});
