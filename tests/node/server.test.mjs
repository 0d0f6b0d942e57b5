import assert from "node:assert/strict";
import test from "node:test";
import { open } from "strandline";
import { testClock, testServer } from "strandline/test";

/** A stream on each of some devices. */
async function streams(...devices) {
  const dbs = await Promise.all(devices.map(({ options }) => open({ name: "app", ...options })));
  return { dbs, streams: await Promise.all(dbs.map((db) => db.stream("lists/1"))), close: () => Promise.all(dbs.map((db) => db.close())) };
}

/** Resolves when a live value is as it should be. */
async function until(live, right) {
  for await (const value of live) if (right(value)) return value;
}

test("what one writes the other reads, also two browsers of one user", async () => {
  const server = await testServer();
  const { streams: [hers, his, hersToo], close } = await streams(server.device("ada"), server.device("bo"), server.device("ada"));
  const id = await hers.create("todo", { title: "first" });
  assert.equal(hersToo.get(id), undefined); // a storage of its own
  assert.equal((await until(his.live(id), (row) => row)).title, "first");
  await until(hersToo.live(id), (row) => row);
  assert.equal(hers.client === hersToo.client, false);
  const { entries } = await (await server.fetch("/v1/log?stream=lists/1")).json();
  assert.equal(entries.length, 1);
  await close();
  server.close();
});

test("a network that goes, loses and is slow loses nothing, and doubles nothing", async () => {
  const server = await testServer(), ada = server.device("ada"), bo = server.device("bo");
  const { streams: [hers, his], close } = await streams(ada, bo);
  await hers.create("todo", { n: 0 }).persisted;
  ada.network.offline();
  await hers.create("todo", { n: 1 });
  await until(hers.live.status, (s) => s.state === "waiting" && s.pending === 1);
  ada.network.online();
  await hers.settled();
  for (const what of ["request", "answer"]) {
    ada.network.lose(what, 2);
    await hers.create("todo", { what }).persisted;
  }
  ada.network.slow(30);
  const begun = performance.now();
  await hers.create("todo", { n: 2 }).persisted;
  assert(performance.now() - begun >= 59, "it was not slow");
  ada.network.slow(0);
  await until(his.live(), (rows) => rows.length === 5);
  assert.equal((await (await server.fetch("/v1/log?stream=lists/1")).json()).entries.length, 5);
  await close();
  server.close();
});

test("refusals, and a session that ends", async () => {
  const server = await testServer(), ada = server.device("ada");
  const { streams: [todos], close } = await streams(ada);
  server.rejectNext("titles are short here");
  await assert.rejects(todos.create("todo", { title: "long" }).persisted, (e) => e.code === "invalid" && /titles are short here/.test(e.message));
  assert.equal(todos.rejected().length, 1);
  server.rejectNext((action, { user, stream }) => (action.ops[0].fields.title === "b" ? `${user} may not in ${stream}` : null));
  await assert.rejects(todos.create("todo", { title: "b" }).persisted, /ada may not in lists\/1/);
  server.judge((action) => (action.ops[0].op === "remove" ? "nothing is removed here" : null));
  const id = await todos.create("todo", { title: "stays" });
  await assert.rejects(todos.remove(id).persisted, /nothing is removed here/);
  server.judge(null);
  await todos.remove(id).persisted;
  ada.signOut();
  const held = todos.create("todo", { title: "held" });
  await until(todos.live.status, (s) => s.state === "held" && s.pending === 1);
  ada.signIn();
  await held.persisted;
  await close();
  server.close();
});

test("what a judge throws is told to who waits for the write", async (t) => {
  const said = t.mock.method(console, "error", () => {});
  const server = await testServer(), { streams: [todos], close } = await streams(server.device("ada"));
  server.judge(() => assert.fail("it is not so"));
  await assert.rejects(todos.create("todo", {}).persisted, /the judge threw: it is not so/);
  assert.equal(said.mock.callCount(), 1);
  await close();
  server.close();
});

test("each server has devices of its own", async () => {
  const one = await testServer(), two = await testServer();
  const [a, b] = [await open({ name: "app", ...one.device("ada").options }), await open({ name: "app", ...two.device("ada").options })];
  assert.notEqual(a, b);
  await Promise.all([a.close(), b.close()]);
  one.close();
  two.close();
});

test("data streams, too", async () => {
  const server = await testServer();
  const { dbs: [one, two], close } = await streams(server.device("ada"), server.device("bo"));
  const [hers, his] = await Promise.all([one.data("log"), two.data("log")]);
  await hers.append({ n: 1 }).persisted;
  await hers.append({ n: 2 }).persisted;
  await until(his.live.entries(), (entries) => entries.length === 2);
  await close();
  server.close();
});

test("time that nobody waits for", async () => {
  const fired = [], made = new Date(), early = [], earlier = setTimeout(() => early.push("early"), 300);
  const server = await testServer(), clock = testClock(), ada = server.device("ada");
  assert.throws(() => testClock(), /already/);
  assert(made instanceof Date && new Date() instanceof Date && structuredClone(made) instanceof Date); // a date stays one
  assert.equal(typeof Date(), "string");
  clearTimeout(earlier); // of before the clock
  const later = setTimeout(() => fired.push("later"), 60 * 60_000);
  const { streams: [todos], dbs: [db], close } = await streams(ada);
  await todos.create("todo", {}).persisted;
  const begun = Date.now(), real = process.hrtime.bigint();
  setTimeout(() => fired.push(Date.now() - begun), 30_000);
  const every = setInterval(() => fired.push("every"), 25_000);
  const never = setTimeout(() => fired.push("never"), 1000);
  clearTimeout(never);
  const turns = db.trace().length;
  await clock.advance(60_000);
  assert(Math.abs(fired[1] - 30_000) < 50, `fired ${fired}`);
  clearInterval(every);
  assert.deepEqual([fired[0], fired[2], fired.length], ["every", "every", 3]);
  assert(Date.now() - begun >= 60_000);
  assert(process.hrtime.bigint() - real < 20_000_000_000n, "it was waited for");
  await clock.advance(60_000); // the idle pause ends
  assert(db.trace().length > turns, "the loop has not looked");
  await todos.create("todo", {}).persisted; // and all goes on
  await close();
  clock.restore();
  clearTimeout(later); // set under the clock, cleared after it
  assert.deepEqual(early, []);
  assert(Math.abs(Date.now() - begun) < 20_000);
  server.close();
});

test("who has ended it is offline", async () => {
  const server = await testServer();
  const { streams: [todos], close } = await streams(server.device());
  await todos.create("todo", {}).persisted;
  server.close();
  await todos.create("todo", {});
  await until(todos.live.status, (s) => s.state === "waiting" && s.pending === 1);
  await close();
});
