import assert from "node:assert/strict";
import test from "node:test";
import { LiveValue, Signal } from "./live.js";

function counter() {
  const thrown: unknown[] = [];
  let value = { n: 0 };
  const signal = new Signal(() => value, (e) => thrown.push(e));
  const add = () => {
    value = { n: value.n + 1 };
    signal.changed();
  };
  return { signal, live: new LiveValue(signal), add, thrown };
}

test("what changes is told once per turn, after subscribe has returned, and the same while it is told", async () => {
  const { live, add, signal } = counter();
  const told: number[] = [];
  assert.equal(live.current, live.current);
  const end = live.subscribe((v) => told.push(v.n));
  add();
  add();
  assert.deepEqual([told, live.current.n], [[], 0]); // who is subscribed sees what he was told last
  await Promise.resolve();
  assert.deepEqual([told, live.current.n], [[2], 2]);
  signal.changed();
  await Promise.resolve();
  assert.deepEqual(told, [2]); // nothing has changed
  end();
  end();
  add();
  await Promise.resolve();
  assert.deepEqual([told, live.current.n, signal.watched], [[2], 3, false]);
});

test("one that throws keeps nobody, one that ends another within a call is heeded, signals end", async () => {
  const { live, add, thrown } = counter();
  const told: string[] = [];
  const stop = new AbortController();
  live.subscribe(() => {
    told.push("a");
    end();
    throw new Error("mine");
  });
  const end = live.subscribe(() => told.push("b"));
  live.subscribe(() => told.push("c"), { signal: stop.signal });
  add();
  await Promise.resolve();
  assert.deepEqual([told, thrown.length], [["a", "c"], 1]);
  stop.abort();
  add();
  await Promise.resolve();
  assert.deepEqual(told, ["a", "c", "a"]);
});

test("one that many share goes on when one of them disposes of it", async () => {
  const { signal, add } = counter();
  const shared = new LiveValue(signal, true);
  const told: number[] = [];
  shared.subscribe((v) => told.push(v.n));
  shared[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  add();
  await Promise.resolve();
  assert.deepEqual(told, [1]);
});

test("it is iterated until the end, and ends by itself where that is disposed of", async () => {
  const { live, add, signal } = counter();
  const seen: number[] = [];
  const all = (async () => {
    for await (const v of live) seen.push(v.n);
  })();
  await new Promise((r) => setTimeout(r));
  add();
  await new Promise((r) => setTimeout(r));
  signal.end();
  await all;
  assert.deepEqual(seen, [0, 1]);
  const other = counter();
  const one = (async () => {
    for await (const v of other.live) return v.n;
  })();
  other.live[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  await one;
  other.live.subscribe(() => assert.equal("told", "after the end"));
  other.add();
  await Promise.resolve();
  assert.equal(other.signal.watched, false);
});
