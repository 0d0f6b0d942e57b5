// What people would write by hand: one row per object, one transaction per thing that must be durable.
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const fields = (n) => ({ title: "Something to do, number " + n, done: n % 2 === 0, rank: n % 97, list: "list-" + (n % 10), tags: ["a", "b"] });
const now = () => performance.now();

function openRaw(name) {
  return new Promise((resolve, reject) => {
    const r = indexedDB.open(name, 1);
    r.onupgradeneeded = () => r.result.createObjectStore("rows", { keyPath: "id" });
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  });
}

function put(db, rows) {
  return new Promise((resolve, reject) => {
    const tx = db.transaction("rows", "readwrite", { durability: "relaxed" });
    const store = tx.objectStore("rows");
    for (const row of rows) store.put(row);
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
}

function get(db, id) {
  return new Promise((resolve, reject) => {
    const r = db.transaction("rows").objectStore("rows").get(id);
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  });
}

const all = (db) =>
  new Promise((resolve) => {
    const r = db.transaction("rows").objectStore("rows").getAll();
    r.onsuccess = () => resolve(r.result);
  });

async function ready() {
  while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
}

// The first sync of a new profile, with a subscriber to the newest 50; and how long the page could not answer at worst.
async function firstSync() {
  const db = await strandline.open({ name: "first", server: location.origin });
  let longest = 0;
  const observer = new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); });
  observer.observe({ type: "longtask" });
  const t = now();
  const s = await db.stream("first");
  await new Promise((resolve) => s.on("status", (e) => e.head >= 100000 && resolve()));
  const ms = now() - t;
  await new Promise((r) => setTimeout(r, 3000)); // local checkpoints too
  observer.disconnect();
  const result = { ms, longest, count: s.count() };
  await db.destroy();
  return result;
}

// From a write to a subscriber elsewhere, by the clock that pages of one machine share.
const clock = () => performance.timeOrigin + performance.now();
const delays = [];
async function listenTo() {
  const db = await strandline.open({ name: "latency", server: location.origin });
  const s = await db.stream("latency");
  await db.sync();
  let seen = new Set(s.query().map((r) => r.id));
  s.subscribe({}, (rows) => {
    for (const r of rows) if (!seen.has(r.id)) { seen.add(r.id); delays.push(clock() - r.at); }
  });
  await new Promise((r) => setTimeout(r, 500));
  return true;
}
async function writeTo() {
  const db = await strandline.open({ name: "latency", server: location.origin });
  const s = await db.stream("latency");
  await db.sync();
  await new Promise((r) => setTimeout(r, 1000));
  for (let n = 0; n < 100; n++) {
    await s.create("tick", { at: clock() });
    await new Promise((r) => setTimeout(r, 100));
  }
  await db.close();
  return true;
}
async function heard() {
  for (let i = 0; delays.length < 100 && i < 300; i++) await new Promise((r) => setTimeout(r, 100));
  return delays;
}

async function bench() {
  const rows = [];
  const add = (what, unit, ours, raw) => rows.push({ what, unit, ours: median(ours), raw: median(raw) });

  // bulk create of 10,000, durable
  let ours = [], raw = [];
  let db, s, idb;
  for (let round = 0; round < 5; round++) {
    idb = await openRaw("raw" + round);
    const batch = Array.from({ length: 10000 }, (_, n) => ({ id: crypto.randomUUID(), type: "todo", ...fields(n) }));
    let t = now();
    await put(idb, batch);
    raw.push(now() - t);
    db = await strandline.open({ name: "bench" + round });
    s = await db.stream("bulk");
    t = now();
    let last;
    for (let n = 0; n < 10000; n++) last = s.create("todo", fields(n));
    await last;
    ours.push(now() - t);
    if (round < 4) { await db.close(); idb.close(); }
  }
  add("bulk create of 10,000, durable", "ms", ours.slice(1), raw.slice(1));

  // one durable write, awaited, warm
  const small = await db.stream("small");
  ours = []; raw = [];
  for (let n = 0; n < 300; n++) {
    let t = now();
    await put(idb, [{ id: crypto.randomUUID(), type: "todo", ...fields(n) }]);
    raw.push(now() - t);
    t = now();
    await small.create("todo", fields(n));
    ours.push(now() - t);
  }
  add("one durable write, awaited, warm", "ms", ours.slice(100), raw.slice(100));

  // point reads
  const ids = s.query().map((r) => r.id), rawIds = (await all(idb)).map((r) => r.id);
  ours = []; raw = [];
  const keep = ids.map((id) => s.get(id));
  for (let round = 0; round < 7; round++) {
    let t = now();
    for (let n = 0; n < 10000; n++) s.get(ids[(n * 7919) % 10000]);
    ours.push((now() - t) / 10);
    t = now();
    for (let n = 0; n < 300; n++) await get(idb, rawIds[(n * 7919) % 10000]);
    raw.push((now() - t) / 0.3);
  }
  add("point read, row cached", "µs", ours.slice(2), raw.slice(2));
  const fresh = [];
  for (let round = 0; round < 5; round++) {
    const one = await strandline.open({ name: "bench3" });
    const st = await one.stream("bulk");
    const list = JSON.parse(JSON.stringify(st.pending().slice(0, 3000).map((a) => a.ops[0].object)));
    const t = now();
    for (const id of list) st.get(id);
    fresh.push((now() - t) * 1000 / list.length);
    await one.close();
  }
  add("point read, row not cached", "µs", fresh.slice(1), raw.slice(2));

  // filtered, sorted query over 10,000, first 50
  ours = []; raw = [];
  for (let round = 0; round < 9; round++) {
    let t = now();
    s.query({ type: "todo", where: { list: "list-" + round }, orderBy: { key: "rank", direction: "desc" }, limit: 50 });
    ours.push(now() - t);
    t = now();
    (await all(idb)).filter((r) => r.list === "list-" + round).sort((a, b) => b.rank - a.rank).slice(0, 50);
    raw.push(now() - t);
  }
  add("filtered, sorted query over 10,000, first 50", "ms", ours.slice(2), raw.slice(2));

  // live query callback after a write
  ours = []; raw = [1];
  let heard;
  const stop = s.subscribe({ where: { list: "list-1" }, orderBy: "rank", limit: 50 }, () => heard?.(now()));
  for (let n = 0; n < 100; n++) {
    const t = now();
    const done = new Promise((r) => (heard = r));
    s.create("todo", { ...fields(n), list: "list-1", rank: -n });
    ours.push((await done) - t);
  }
  stop();
  rows.push({ what: "live query callback after a write (raw: 1 ms)", unit: "ms", ours: median(ours), raw: 1 });

  // cold open of 10,000 objects
  ours = []; raw = [];
  for (let round = 0; round < 4; round++) {
    const d = await strandline.open({ name: "bench2" });
    let t = now();
    const st = await d.stream("bulk");
    if (st.count() !== 10000) throw new Error("not 10,000: " + st.count());
    ours.push(now() - t);
    await d.close();
    const i = await openRaw("raw2");
    t = now();
    await all(i);
    raw.push(now() - t);
    i.close();
  }
  add("open a stream of 10,000 pending objects / getAll", "ms", ours, raw);

  // a turn of 10,000 entries under 1,000 pending
  let longest = 0;
  ours = []; raw = [];
  for (let round = 0; round < 3; round++) {
    const local = await strandline.open({ name: "turns" });
    const offline = await local.stream("turn/" + round);
    let last;
    for (let n = 0; n < 1000; n++) last = offline.create("todo", fields(n));
    await last;
    await local.close();
    const online = await strandline.open({ name: "turns", server: location.origin });
    const observer = new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); });
    observer.observe({ type: "longtask" });
    let t = now();
    const st = await online.stream("turn/" + round);
    await new Promise((resolve) => st.on("status", (e) => e.head >= 10000 && resolve()));
    ours.push(now() - t);
    await st.settled();
    observer.disconnect();
    await online.close();
    const i = await openRaw("rawturn" + round);
    t = now();
    for (let after = 0; after < 10000; after += 500) {
      const page = await (await fetch(`/v1/log?stream=turn/${round}&after=${after}&limit=500`)).json();
      await put(i, page.entries.map((e) => ({ id: e.action.ops[0].object, type: "todo", ...e.action.ops[0].fields })));
    }
    raw.push(now() - t);
    i.close();
  }
  add("fetch and commit 10,000 entries under 1,000 pending", "ms", ours, raw);
  return { rows, longest };
}
