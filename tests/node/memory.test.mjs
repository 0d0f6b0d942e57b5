import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { date, increment, InvalidError, open } from "strandline";

test("a database in memory: writes, reads, live queries, undo, data streams", async () => {
  const db = await open({ name: "memory", storage: "memory" });
  const todos = await db.stream("a", { schema: { todo: { codecs: { due: date } } } });
  const id = await todos.create("todo", { title: "x", n: 0, due: new Date(0) });
  const told = [];
  const end = todos.live({ type: "todo" }).subscribe((rows) => told.push(rows.length));
  await todos.transact((tx) => {
    tx.update(id, { n: increment() });
    assert.equal(tx.get(id).n, 1);
    tx.create("todo", { title: "y", n: tx.query().length });
  });
  await new Promise((resolve) => setTimeout(resolve));
  end();
  assert.deepEqual([told, todos.get(id).due.getTime(), todos.count()], [[2], 0, 2]);
  await todos.undo();
  assert.deepEqual([todos.get(id).n, todos.count()], [0, 1]);
  const { indexedDB, persisted } = await db.health();
  assert.deepEqual([indexedDB, persisted], ["memory", false]);
  const log = await db.data("log");
  await log.append({ n: 1 });
  await log.append({ n: 2 });
  assert.deepEqual((await log.read()).map((e) => e.value.n), [1, 2]);
  await db.close();
});

test("edit writes what it has changed: not what another one has written in another way, nor what cannot be read", async () => {
  const db = await open({ name: "edited", storage: "memory", log: () => {} });
  const plain = await db.stream("a");
  const id = await plain.create("todo", { done: false, due: "2026-01-02", other: "soon" });
  await plain.close();
  const s = await db.stream("a", { schema: { todo: { codecs: { due: date, other: date } } } });
  await s.edit(id, (draft) => { draft.done = true; });
  assert.deepEqual(s.pending().at(-1).ops[0].set, { done: true });
  await s.edit(id, (draft) => { draft.due.setUTCFullYear(2027); });
  assert.deepEqual(s.pending().at(-1).ops[0].set, { due: "2027-01-02T00:00:00.000Z" });
  await assert.rejects(s.edit(id, (draft) => { draft.other = "later"; }), (e) => e.path === "/other");
  assert.equal(s.query({ orderBy: "due", after: { id: "00000000-0000-4000-8000-000000000000", due: new Date(0) } }).length, 1); // without a type
  await db.close();
});

test("one in memory that is destroyed ends no other one", async () => {
  const { Worker } = await import("node:worker_threads");
  const code = `import { parentPort } from "node:worker_threads"; import { open } from "strandline";
    const db = await open({ name: "kiosk", storage: "memory" });
    await (await db.stream("a")).create("todo", {});
    await db.destroy({ force: true });
    parentPort.postMessage("destroyed");`;
  const db = await open({ name: "kiosk", storage: "memory" }), s = await db.stream("a");
  const id = await s.create("todo", {});
  await new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code.replace(/"strandline"/, JSON.stringify(import.meta.resolve("strandline"))))}`));
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(s.get(id).id, id);
  await s.update(id, { n: 1 });
  await db.close();
});

test("what is in memory is gone with it, and is not taken for a loss", async () => {
  const said = [];
  for (const round of [1, 2]) {
    const db = await open({ name: "again", storage: "memory", log: (entry) => said.push(entry.code) });
    const s = await db.stream("a");
    assert.equal(s.count(), 0, `round ${round}`);
    await s.create("todo", {});
    if (round === 1) await db.close();
    else await db.destroy({ force: true });
  }
  assert.deepEqual(said, []);
});

test("one that is open in the process is the same", async () => {
  const [one, two] = [await open({ name: "same", storage: "memory" }), await open({ name: "same", storage: "memory" })];
  assert.equal(one, two);
  await one.close();
  await (await two.stream("a")).create("todo", {});
  await two.close();
});

test("bad options", async () => {
  for (const [options, path] of [[{ storage: "disk" }, "/storage"], [{ fetch: 5 }, "/fetch"]]) {
    await assert.rejects(open({ name: "bad", ...options }), (e) => e instanceof InvalidError && e.path === path);
  }
});

test("without storage: \"memory\" and without IndexedDB it says so", async () => {
  await assert.rejects(open({ name: "none" }), (e) => e.code === "storage" && /IndexedDB/.test(e.message) && /storage: "memory"/.test(e.message));
});

// What keeps a process alive that has closed what it opened would keep each test run from ending.
test("a process ends by itself", () => {
  const code = `import { open } from "strandline";
    const db = await open({ name: "x", storage: "memory" });
    const s = await db.stream("a");
    await s.create("todo", Array.from({ length: 2000 }, (_, i) => ({ i })));
    await (await db.data("d")).append(1);
    if (s.count() !== 2000) throw new Error("rows lack");
    await db.close();`;
  execFileSync(process.execPath, ["--input-type=module", "-e", code], { timeout: 20_000, stdio: "pipe" });
});

test("nothing of Go's glue is left in the globals", async () => {
  const before = Object.keys(globalThis);
  const db = await open({ name: "globals", storage: "memory" });
  await db.close();
  assert.deepEqual(Object.keys(globalThis), before);
});

test("two copies of the package: each says so, with what to do", async () => {
  const dist = new URL(import.meta.resolve("strandline"));
  const other = await import(`${dist.href}?copy`);
  const said = [], log = (entry) => said.push(entry.code);
  const db = await other.open({ name: "copies", storage: "memory", log });
  const s = await db.stream("a"), id = await s.create("todo", { n: 0 });
  await assert.rejects(s.update(id, { n: increment() }), (e) => e.code === "invalid" && e.path === "/n" && /another copy of strandline.*npm ls/.test(e.message));
  await s.update(id, { n: other.increment() });
  await db.close();
  assert.deepEqual(said, ["copies"]);
});
