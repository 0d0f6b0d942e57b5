// What this browser gives, and what it has taken.
import type { Health, Loss } from "../values/states.js";

export async function healthOf(indexedDB: Health["indexedDB"], rows: Health["rows"], unviewed: number, loss: Loss | null): Promise<Health> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  const no = () => null;
  const [persisted, estimate] = await Promise.all([storage?.persisted?.().catch(no), storage?.estimate?.().catch(no)]);
  const serviceWorker = !!globalThis.navigator && "serviceWorker" in navigator;
  return {
    indexedDB,
    rows,
    unviewed,
    persisted: persisted === true,
    quota: estimate ? { usage: estimate.usage ?? 0, quota: estimate.quota ?? 0 } : null,
    locks: !!globalThis.navigator?.locks,
    backgroundSync: serviceWorker && "SyncManager" in globalThis,
    serviceWorker,
    loss,
  };
}

/** Whether the browser asks people, and does not decide by itself: Firefox. */
export const asksPeople = (): boolean => globalThis.CSS?.supports?.("-moz-appearance", "none") === true && !globalThis.CSS.supports("-webkit-app-region", "none");

/** Asks the browser not to evict what is stored, once a page: when something was written, by somebody who is there. True where that has changed. */
export async function persist(): Promise<boolean> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  if (asked || !storage?.persist || !globalThis.document || navigator.userActivation?.hasBeenActive === false) return false;
  asked = true;
  return !(await storage.persisted()) && (await storage.persist());
}

let asked = false;
