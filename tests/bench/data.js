// Data streams: what an append costs, what a chat waits for beside an upload, what a read costs as the log grows.
const middleOf = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
let transactions = 0;
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...args) {
  transactions++;
  return transaction.apply(this, args);
};

async function timed(n, f) {
  const list = [], before = transactions;
  for (let i = 0; i < n; i++) {
    const at = now();
    await f(i);
    list.push(now() - at);
  }
  return { ms: middleOf(list), transactions: (transactions - before) / n };
}

// By hand: one row in one transaction.
async function rawAppend() {
  const db = await new Promise((resolve, reject) => {
    const r = indexedDB.open("raw-data", 1);
    r.onupgradeneeded = () => r.result.createObjectStore("rows", { autoIncrement: true });
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  });
  const one = (i) => new Promise((resolve, reject) => {
    const tx = db.transaction("rows", "readwrite");
    tx.objectStore("rows").add({ n: i, text: "x".repeat(100) });
    tx.oncomplete = resolve;
    tx.onerror = () => reject(tx.error);
  });
  await timed(50, one);
  return timed(200, one);
}

async function dataAppends() {
  const raw = await rawAppend();
  const local = await strandline.open({ name: "appends" }), l = await local.data("log");
  const entry = (i) => ({ n: i, text: "x".repeat(100) });
  await timed(50, (i) => l.append(entry(i)));
  const kept = await timed(200, async (i) => { await l.append(entry(i)); });
  await quiet(500);
  const db = await strandline.open({ name: "sent", server: location.origin }), d = await db.data("bench/appends");
  await timed(20, async (i) => { await d.append(entry(i)).persisted; });
  await d.settled();
  const sent = await timed(100, async (i) => { await d.append(entry(i)).persisted; });
  await local.close();
  await db.close();
  return { raw, kept, sent };
}

async function chatBeside() {
  const db = await strandline.open({ name: "chat", server: location.origin });
  const chat = await db.data("bench/chat"), files = await db.data("bench/files", { contentType: "application/octet-stream" });
  const say = async () => { await chat.append({ text: "hello" }).persisted; };
  await timed(20, say);
  const alone = await timed(20, say);
  const upload = files.append(new Blob([new Uint8Array(32 << 20)])), list = [];
  await upload;
  let over = false;
  upload.persisted.then(() => (over = true));
  while (!over) {
    const at = now();
    await say();
    if (!over) list.push(now() - at);
    await quiet(10);
  }
  await db.close();
  return { alone: alone.ms, beside: middleOf(list), said: list.length, most: Math.max(...list) };
}

async function readsOf(name, n) {
  for (let at = 0; at < n; at += 1000) {
    const body = JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ n: at + i, text: "x".repeat(60) })));
    const r = await fetch(`/v1/data/${name}`, { method: at === 0 ? "PUT" : "POST", headers: { "Content-Type": "application/json" }, body });
    if (!r.ok) throw new Error(`${r.status} ${await r.text()}`);
  }
  const db = await strandline.open({ name, server: location.origin }), d = await db.data(name);
  while (d.status.head < n) await quiet(50);
  await quiet(200);
  const first = await timed(100, () => d.read({ limit: 1 }));
  const last = await timed(100, () => d.read({ after: d.head, limit: 1 }));
  const w = d.append({ n: -1 });
  await w.persisted;
  while (d.status.head < n + 1) await quiet(20);
  const one = await timed(20, () => d.get(w.object));
  await db.close();
  return { first: first.ms, last: last.ms, one: one.ms };
}
