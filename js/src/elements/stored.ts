// What IndexedDB holds of a stream, for the inspector: it reads, and makes nothing.
import type { Kept } from "../life/trail.js";
import { bytes, cells, table, text } from "./tables.js";

const newest = 50;

type Read = <T>(store: string, ask: (store: IDBObjectStore, range: IDBKeyRange) => IDBRequest<T>) => Promise<T>;

/** null where there is no database. The layout is idbstore's. */
async function stored<R>(path: string, stream: string, use: (read: Read) => Promise<R>): Promise<R | null> {
  const db = await new Promise<IDBDatabase | null>((resolve) => {
    const request = indexedDB.open(path);
    request.onupgradeneeded = () => request.transaction!.abort(); // it is not there: none is made
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  if (!db) return null;
  try {
    const tx = db.transaction(["records", "meta"]);
    const range = IDBKeyRange.bound([stream], [stream, []]);
    return await use((store, ask) => new Promise((resolve, reject) => {
      const request = ask(tx.objectStore(store), range);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }));
  } finally {
    db.close();
  }
}

/** The wake-ups that are kept of all contexts, those that are gone too. */
export async function trail(path: string): Promise<Kept[]> {
  return (await stored(path, "", (read) => read("meta", (s, range) => s.getAll(range) as IDBRequest<Kept[]>))) ?? [];
}

/** A record and a page never change: their keys tell what is there. */
export async function keysOf(path: string, stream: string): Promise<string> {
  const keys = await stored(path, stream, (read) => Promise.all(["records", "meta"].map((store) => read(store, (s, range) => s.getAllKeys(range)))));
  return JSON.stringify([stream, keys]);
}

export async function local(path: string, stream: string): Promise<Node> {
  const node = await stored(path, stream, async (read) => {
    const [keys, values, names, pages] = await Promise.all([
      read("records", (s, range) => s.getAllKeys(range)), read("records", (s, range) => s.getAll(range)),
      read("meta", (s, range) => s.getAllKeys(range)), read("meta", (s, range) => s.getAll(range)),
    ]);
    const size = (all: Uint8Array[]) => all.reduce((sum, b) => sum + (b.byteLength ?? 0), 0);
    const rows = keys.map((key, i) => cells((key as [string, number])[1], bytes((values[i] as Uint8Array).byteLength))).reverse();
    const out = document.createDocumentFragment();
    out.append(
      text(`${keys.length} records, ${bytes(size(values))}; checkpoint of ${Math.max(0, names.length - 1)} pages, ${bytes(size(pages))}.`),
      table(["record", "size"], rows.slice(0, newest), rows.length),
    );
    return out;
  });
  return node ?? text("Nothing of it is stored in this browser.");
}
