import assert from "node:assert/strict";
import test from "node:test";
import { dispose, until } from "./ending.js";
import { Events } from "./events.js";
import { LiveValue, Signal } from "./live.js";

test("it ends once, whoever ends it", () => {
  for (const how of ["call", "dispose", "abort"] as const) {
    let n = 0;
    const abort = new AbortController();
    const end = until(() => n++, abort);
    if (how === "call") end();
    else if (how === "dispose") end[dispose]();
    else abort.abort();
    end();
    end[dispose]();
    abort.abort();
    assert.equal(n, 1, how);
  }
});

test("a signal that is aborted already ends it at once, and one that is none leaves it", () => {
  let n = 0;
  until(() => n++, { signal: AbortSignal.abort() });
  assert.equal(n, 1);
  until(() => n++);
  until(() => n++, {});
  assert.equal(n, 1);
});

test("a signal that lives longer holds nobody when what was followed has ended", async () => {
  const held = new Set<unknown>();
  const signal = {
    aborted: false,
    addEventListener: (_: string, fn: unknown) => held.add(fn),
    removeEventListener: (_: string, fn: unknown) => held.delete(fn),
  } as unknown as AbortSignal;
  const events = new Events<{ status: number; closed: string }>(["status", "closed"], () => {});
  const origin = new Signal(() => 1, () => {});
  const live = new LiveValue(origin), shared = new LiveValue(origin, true);
  const heard: string[] = [];
  events.on("status", () => {}, { signal });
  events.on("closed", (e) => heard.push(e), { signal });
  live.subscribe(() => {}, { signal });
  shared.subscribe(() => {}, { signal });
  assert.equal(held.size, 4);
  live[dispose]();
  assert.equal(held.size, 3);
  origin.end();
  events.last("closed", "over");
  assert.equal(held.size, 0);
  events.on("closed", (e) => heard.push(e), { signal }); // who comes late is told
  events.on("status", () => {}, { signal });
  events.on("status", () => {}, { signal: AbortSignal.abort() });
  await Promise.resolve();
  assert.deepEqual([heard, held.size], [["over", "over"], 0]);
});
