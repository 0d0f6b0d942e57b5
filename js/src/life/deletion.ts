import { SyncError } from "../values/errors.js";

const limit = 5000; // milliseconds that a browser may take

/** Deletes a database of the browser's that this context has not open. */
export function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new SyncError({ code: "storage", message: "storage: the browser does not delete the database", retryable: true }));
    if (!globalThis.indexedDB) return resolve();
    setTimeout(failed, limit);
    try {
      const r = indexedDB.deleteDatabase(name);
      r.onsuccess = () => resolve();
      r.onerror = failed;
    } catch {
      failed();
    }
  });
}

/** Without the script nobody knows what the data streams would lose: they are deleted by force only. */
export function deleteUnread(shared: string, e: unknown, force: boolean): null {
  if (!force) throw e;
  indexedDB.deleteDatabase(`${shared}/data`);
  return null;
}
