// What IndexedDB holds of a database, read without a program: it makes nothing. The layout is idbstore's.

export type Read = <T>(store: string, ask: (store: IDBObjectStore, range: IDBKeyRange) => IDBRequest<T>) => Promise<T>;

/** null where there is no database. */
export async function stored<R>(path: string, stream: string, use: (read: Read) => Promise<R>): Promise<R | null> {
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

/** The turns that are kept of all contexts, those that are gone too. */
export async function trail<T>(path: string): Promise<T[]> {
  return (await stored(path, "", (read) => read("meta", (s, range) => s.getAll(range) as IDBRequest<T[]>))) ?? [];
}
