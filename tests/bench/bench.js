const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const fields = (n) => ({ title: "Something to do, number " + n, done: n % 2 === 0, rank: n % 97, list: "list-" + (n % 10), tags: ["a", "b"] });
const row = (n) => ({ id: crypto.randomUUID(), type: "todo", ...fields(n) });
const now = () => performance.now();

async function ready() {
  while (!window.strandline || !window.contenders) await new Promise((r) => setTimeout(r, 10));
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

// The same work in every contender, warmed up and interleaved: medians by row and contender.
async function compare() {
  const rows = [], open = new Map(), ids = new Map();
  // Each contender's turn of a round; what it gives is a time. The first rounds warm up.
  const measure = async (what, unit, goal, rounds, warm, work) => {
    const times = new Map(contenders.map((c) => [c.name, []]));
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < contenders.length; k++) {
        const c = contenders[(round + k) % contenders.length];
        const t = await work(c, open.get(c), round);
        if (t !== undefined && round >= warm) times.get(c.name).push(t);
      }
    }
    rows.push({ what, unit, goal, values: contenders.map((c) => (times.get(c.name).length ? median(times.get(c.name)) : null)) });
  };

  await measure("bulk create of 10,000, durable", "ms", "≤ 0.1 × raw", 4, 1, async (c, before, round) => {
    await before?.close();
    const store = await c.open("bench" + round), batch = Array.from({ length: 10000 }, (_, n) => row(n));
    open.set(c, store);
    ids.set(c, batch.map((r) => r.id));
    const t = now();
    await store.bulk(batch);
    return now() - t;
  });
  await measure("the same in one call", "ms", "≤ 0.1 × raw", 4, 1, async (c, _, round) => {
    const store = await c.open("many" + round), batch = Array.from({ length: 10000 }, (_, n) => row(n)), t = now();
    await (store.many ?? store.bulk)(batch);
    const took = now() - t;
    await store.close();
    return took;
  });
  const small = new Map();
  for (const c of contenders) small.set(c, await c.open("small"));
  await measure("one durable write, awaited, warm", "ms", "≤ 2.5 × raw", 200, 50, async (c) => {
    const r = row(1), t = now();
    await small.get(c).add(r);
    return now() - t;
  });
  for (const store of small.values()) await store.close();
  await measure("point read", "µs", "≤ 2 µs", 7, 2, async (c, store) => {
    const all = ids.get(c), n = c.synchronous ? 10000 : 300;
    if (c.name === "Strandline") for (const id of all) store.get(id); // rows that the app has seen
    const t = now();
    if (c.synchronous) for (let i = 0; i < n; i++) store.get(all[(i * 7919) % 10000]);
    else for (let i = 0; i < n; i++) await store.get(all[(i * 7919) % 10000]);
    return ((now() - t) * 1000) / n;
  });
  await measure("filtered, sorted query over 10,000, first 50", "ms", "≤ 1 ms", 12, 3, async (c, store, round) => {
    const t = now();
    const found = c.synchronous ? store.query("list-" + (round % 10)) : await store.query("list-" + (round % 10));
    const took = now() - t;
    if (found.length !== 50) throw new Error(`${c.name} found ${found.length}`);
    return took;
  });
  const heard = new Map(), stops = [];
  for (const c of contenders) if (open.get(c).live) stops.push(open.get(c).live("list-1", () => heard.get(c)?.(now())));
  await new Promise((r) => setTimeout(r, 500));
  await measure("live query callback after a write", "ms", "≤ 1 ms", 60, 10, async (c, store, round) => {
    if (!store.live) return undefined;
    const t = now(), told = new Promise((r) => heard.set(c, r));
    const written = store.add({ ...row(round), list: "list-1", rank: 1000 + round });
    const took = (await told) - t;
    heard.delete(c);
    await written;
    return took;
  });
  stops.forEach((stop) => stop());
  await measure("cold open of 10,000 objects, all read", "ms", "≤ 2 × raw", 5, 1, async (c, store) => {
    await store.close();
    const t = now();
    const again = await c.open("bench3");
    if ((await again.count()) < 10000) throw new Error(`${c.name} lost rows`);
    open.set(c, again);
    return now() - t;
  });
  for (const store of open.values()) await store.close();
  return { names: contenders.map((c) => c.name), rows };
}

// 10,000 entries that come in under 1,000 pending, and the longest task meanwhile; by hand, the same answers are put row by row.
async function turns() {
  let longest = 0;
  const ours = [], raw = [], opens = [], rawOpens = [];
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
    await new Promise((r) => setTimeout(r, 1500)); // the local checkpoint
    await online.close();
    t = now();
    const again = await strandline.open({ name: "turns" });
    if ((await again.stream("turn/" + round)).count() !== 11000) throw new Error("objects are lost");
    opens.push(now() - t);
    await again.close();
    const byHand = await contenders[1].open("turn" + round);
    t = now();
    for (let after = 0; after < 10000; after += 500) {
      const page = await (await fetch(`/v1/log?stream=turn/${round}&after=${after}&limit=500`)).json();
      await byHand.bulk(page.entries.map((e) => ({ id: e.action.ops[0].object, type: "todo", ...e.action.ops[0].fields })));
    }
    raw.push(now() - t);
    byHand.close();
    t = now();
    const reopened = await contenders[1].open("turn" + round);
    await reopened.count();
    rawOpens.push(now() - t);
    reopened.close();
  }
  return { ours: median(ours), raw: median(raw), open: median(opens), rawOpen: median(rawOpens), longest };
}
