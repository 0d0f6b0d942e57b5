import assert from "node:assert/strict";
import test from "node:test";
import { Token } from "./token.js";

let now = 1_000_000;
Date.now = () => now;

/** An app whose auth gives these in turn, then "dead". */
function app(...tokens: unknown[]) {
  const calls: number[] = [];
  const auth = () => {
    calls.push(now);
    const next = tokens.length > 0 ? tokens.shift() : "dead";
    if (next instanceof Error) throw next;
    return next as string;
  };
  return { calls, token: new Token(auth, 5000) };
}

const code = (p: Promise<unknown>) => p.then((v) => `got ${String(v)}`, (e: { code: string; message: string }) => `${e.code}: ${e.message}`);

test("who has no auth needs no token", async () => {
  assert.equal(await new Token(undefined, 5000).get(), null);
});

test("requests that are made at once share a call, and those that come later its token", async () => {
  const { calls, token } = app("a");
  assert.deepEqual(await Promise.all([token.get(), token.get(), token.get()]), ["a", "a", "a"]);
  token.accepted("a");
  assert.equal(await token.get(), "a");
  assert.equal(calls.length, 1);
});

test("a token whose time is over is asked for once, however many requests meet that", async () => {
  const { calls, token } = app("a", "b");
  await token.get();
  token.accepted("a");
  assert.equal(token.refused("a"), true); // the same request is worth another try
  assert.equal(await token.get(), "b");
  assert.equal(token.refused("a"), true); // of a request that was slower
  assert.equal(await token.get(), "b");
  assert.equal(calls.length, 2);
});

test("requests that meet the end of a token at once share the next one", async () => {
  const { calls, token } = app("a", "b");
  await token.get();
  token.accepted("a");
  assert.equal(token.refused("a"), true);
  const next = token.get();
  assert.equal(token.refused("a"), true); // while that is asked for
  assert.deepEqual([await next, await token.get(), calls.length], ["b", "b", 2]);
});

test("a dead token leads to two calls in 30 s, and to fewer later", async () => {
  const { calls, token } = app();
  const begun = now;
  for (; now < begun + 600_000; now += 500) {
    // Ten streams, the loop and the connection for hints.
    for (let i = 0; i < 12; i++) await token.get().then((text) => assert.equal(token.refused(text), false), () => {});
  }
  assert.equal(calls.filter((at) => at < begun + 30_000).length, 2);
  assert(calls.length <= 13, `${calls.length} calls in ten minutes`);
});

test("while it rests it says why", async () => {
  const { calls, token } = app(new Error("no session"), null, "", "dead");
  assert.equal(await code(token.get()), "unauthorized: auth() failed");
  assert.equal(await code(token.get()), "unauthorized: auth() failed");
  now += 60_000;
  assert.equal(await code(token.get()), "unauthorized: there is no token");
  now += 60_000;
  assert.equal(await code(token.get()), "unauthorized: there is no token");
  now += 60_000;
  assert.equal(await code(token.get()), "got dead");
  token.refused("dead");
  assert.equal(await code(token.get()), "unauthorized: the server wants another token");
  assert.equal(calls.length, 4);
});

test("who wants to know now waits for no pause, and a good token ends the growth", async () => {
  const { calls, token } = app("dead", "good", "dead");
  token.refused(await token.get());
  token.wake();
  const text = await token.get();
  token.accepted(text);
  assert.equal(text, "good");
  assert.equal(token.refused("good"), true);
  token.refused(await token.get());
  now += 10_001; // as after the first one
  await token.get();
  assert.equal(calls.length, 4);
});

test("a token that is refused after somebody wanted to know does not count: auth() is called at once", async () => {
  const { calls, token } = app("dead", "good");
  const sent = await token.get(); // a request that is under way when sync() is called
  token.wake();
  assert.equal(token.refused(sent), true);
  assert.equal(await token.get(), "good");
  assert.equal(calls.length, 2);
});

test("an auth() that fails after somebody wanted to know does not count either", async () => {
  const { calls, token } = app(new Error("no network"), "good");
  const asked = token.get();
  token.wake();
  assert.equal(await asked, "good");
  assert.equal(calls.length, 2);
});
