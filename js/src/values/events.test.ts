import assert from "node:assert/strict";
import test from "node:test";
import { Events } from "./events.js";

test("what is told once is told once, whenever somebody came", async () => {
  const heard: string[] = [];
  const events = new Events<{ end: string }>(["end"], () => {});
  events.on("end", (e) => heard.push(`before ${e}`));
  queueMicrotask(() => events.last("end", "over"));
  events.on("end", (e) => heard.push(`meanwhile ${e}`));
  await Promise.resolve();
  events.on("end", (e) => heard.push(`after ${e}`));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(heard, ["before over", "meanwhile over", "after over"]);
});

test("what is known already is told once, guarded, and not after the end", async () => {
  const thrown: unknown[] = [], heard: string[] = [];
  const events = new Events<{ news: string }>(["news"], (e) => thrown.push(e));
  events.on("news", (e) => heard.push(e), {}, "old");
  events.on("news", () => { throw new Error("mine"); }, {}, "old");
  events.on("news", (e) => heard.push(`never ${e}`), {}, "old")();
  assert.deepEqual(heard, []);
  await Promise.resolve();
  assert.deepEqual([heard, thrown.length], [["old"], 1]);
  events.emit("news", "new");
  assert.deepEqual([heard, thrown.length], [["old", "new"], 2]);
});
