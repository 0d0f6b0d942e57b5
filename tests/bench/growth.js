// How things grow: with objects, with what is pending, and with streams. What is under way in a page before it is measured has ended.
let wasmMemory = null;
const instantiate = WebAssembly.instantiateStreaming;
WebAssembly.instantiateStreaming = async (...args) => {
  const made = await instantiate(...args);
  wasmMemory = made.instance.exports.mem;
  return made;
};
const quiet = (ms) => new Promise((r) => setTimeout(r, ms));

function longTasks() {
  let longest = 0;
  const observer = new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); });
  observer.observe({ type: "longtask" });
  return async () => { await quiet(100); observer.disconnect(); return longest; };
}

// Brings all objects of a stream of the server's into this browser.
async function bring(name, stream, head) {
  const longest = longTasks(), t = now();
  const db = await strandline.open({ name, server: location.origin });
  const s = await db.stream(stream);
  while (s.head < head) await quiet(20);
  const ms = now() - t;
  await quiet(4000); // local checkpoints too
  const worst = await longest();
  await db.close();
  return { ms, longest: worst };
}

// Writes objects that stay pending.
async function leave(name, streams, each) {
  const db = await strandline.open({ name });
  const t = now();
  for (let i = 0; i < streams; i++) {
    const s = await db.stream(`s/${i}`);
    for (let n = 0; n < each; n += 5000) await s.create("todo", Array.from({ length: Math.min(5000, each - n) }, (_, k) => fields(n + k)));
  }
  const ms = now() - t;
  await quiet(4000);
  await db.close();
  return ms;
}

// Opens what is there in a page that was just made.
async function again(name, server, names) {
  const longest = longTasks(), t = now();
  const db = await strandline.open({ name, server: server || undefined });
  const streams = await Promise.all(names.map((n) => db.stream(n)));
  const count = streams.reduce((n, s) => n + s.query().length, 0), rows = now() - t;
  await Promise.all(streams.map((s) => s.ready));
  const ready = now() - t;
  await quiet(3000); // rows are compared
  const worst = await longest();
  const s = streams[0], list = [];
  for (let i = 0; i < 20; i++) {
    const at = now();
    await s.create("todo", fields(i));
    list.push(now() - at);
  }
  const told = [];
  for (let i = 0; i < 10; i++) {
    const at = now();
    await new Promise((resolve) => {
      const end = s.subscribe({ where: { done: false }, orderBy: "rank", limit: 50 }, (rows, change) => { if (change.added.includes(first.object)) { told.push(now() - at); setTimeout(() => { end(); resolve(); }); } });
      const first = s.create("todo", { ...fields(i), done: false, rank: -1 - i });
    });
  }
  const heap = (performance.memory?.usedJSHeapSize ?? 0) / 2 ** 20, wasm = (wasmMemory?.buffer.byteLength ?? 0) / 2 ** 20;
  await db.close();
  return { rows, ready, longest: worst, write: median(list), live: median(told), heap, wasm, count };
}
