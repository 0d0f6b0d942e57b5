// What is measured: the same work in Strandline, in IndexedDB by hand, in Dexie and in Yjs with y-indexeddb, each by its documentation's
// best practice. A store has bulk, add, get, query (the first 50 of a list by rank, downwards), live and close. What is not awaited where
// it is called is synchronous; add and bulk are done when the data is durable.
import Dexie, { liveQuery } from "dexie";
import { IndexeddbPersistence } from "y-indexeddb";
import * as Y from "yjs";

const byRank = (rows, list) => rows.filter((r) => r.list === list).sort((a, b) => b.rank - a.rank).slice(0, 50);
const finished = (tx) => new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = () => reject(tx.error); });
const result = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });

export const strandline = {
  name: "Strandline", synchronous: true,
  async open(name) {
    const db = await window.strandline.open({ name });
    const s = await db.stream("rows");
    const query = (list) => ({ type: "todo", where: { list }, orderBy: { key: "rank", direction: "desc" }, limit: 50 });
    return {
      async bulk(rows) { let last; for (const { id, type, ...fields } of rows) last = s.create("todo", fields, { id }); await last; },
      async many(rows) { await s.create("todo", rows.map(({ id, type, ...fields }) => fields)); },
      async add({ id, type, ...fields }) { await s.create("todo", fields, { id }); },
      get: (id) => s.get(id),
      query: (list) => s.query(query(list)),
      live: (list, fn) => s.subscribe(query(list), fn),
      count: () => s.count(),
      close: () => db.close(),
    };
  },
};

const byHand = (name, indexed) => ({
  name,
  async open(name) {
    const request = indexedDB.open(`raw-${indexed}-${name}`, 1);
    request.onupgradeneeded = () => {
      const rows = request.result.createObjectStore("rows", { keyPath: "id" });
      if (indexed) rows.createIndex("list", ["list", "rank"]);
    };
    const db = await result(request);
    const store = () => db.transaction("rows").objectStore("rows");
    const bulk = (rows) => {
      const tx = db.transaction("rows", "readwrite", { durability: "relaxed" });
      const target = tx.objectStore("rows");
      for (const row of rows) target.put(row);
      return finished(tx);
    };
    const first = (list) => {
      const rows = [], request = store().index("list").openCursor(IDBKeyRange.bound([list], [list, []]), "prev");
      return new Promise((resolve, reject) => {
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          if (!request.result || rows.push(request.result.value) === 50) resolve(rows);
          else request.result.continue();
        };
      });
    };
    return {
      bulk,
      add: (row) => bulk([row]),
      get: (id) => result(store().get(id)),
      query: indexed ? first : async (list) => byRank(await result(store().getAll()), list),
      count: async () => (await result(store().getAll())).length,
      close: () => db.close(),
    };
  },
});
export const raw = byHand("raw IndexedDB", false), rawIndexed = byHand("raw, with an index", true);

export const dexie = {
  name: "Dexie",
  async open(name) {
    const db = new Dexie(`dexie-${name}`, { chromeTransactionDurability: "relaxed" });
    db.version(1).stores({ rows: "id,[list+rank]" });
    await db.open();
    const query = (list) => db.rows.where("[list+rank]").between([list, Dexie.minKey], [list, Dexie.maxKey]).reverse().limit(50).toArray();
    return {
      bulk: (rows) => db.rows.bulkAdd(rows),
      add: (row) => db.rows.add(row),
      get: (id) => db.rows.get(id),
      query,
      live: (list, fn) => { const s = liveQuery(() => query(list)).subscribe(fn); return () => s.unsubscribe(); },
      count: async () => (await db.rows.toArray()).length,
      close: () => db.close(),
    };
  },
};

export const yjs = {
  name: "Yjs", synchronous: true,
  async open(name) {
    const doc = new Y.Doc(), rows = doc.getMap("rows");
    const kept = new IndexeddbPersistence(`yjs-${name}`, doc);
    await kept.whenSynced;
    // y-indexeddb tells nobody when an update is durable: a transaction behind its own is.
    const durable = () => finished(kept.db.transaction("updates", "readwrite"));
    const set = ({ id, ...row }) => { const map = new Y.Map(); for (const key in row) map.set(key, row[key]); rows.set(id, map); };
    const all = () => [...rows].map(([id, map]) => ({ id, ...map.toJSON() }));
    return {
      bulk(list) { doc.transact(() => list.forEach(set)); return durable(); },
      add(row) { set(row); return durable(); },
      get: (id) => ({ id, ...rows.get(id).toJSON() }),
      query: (list) => byRank(all(), list),
      live(list, fn) { const f = () => fn(byRank(all(), list)); rows.observeDeep(f); return () => rows.unobserveDeep(f); },
      count: () => rows.size,
      async close() { await kept.destroy(); doc.destroy(); },
    };
  },
};

window.contenders = [strandline, raw, rawIndexed, dexie, yjs];
