// The wake-ups of all contexts of a database, service workers among them, kept in it beside its streams: who asks later why something was stuck finds them. They are for people: what cannot
// be kept is not.
import type { WakeUp } from "../program/runtime.js";

const late = 2000; // milliseconds after a turn: turns that follow one another are kept as one
const patience = 1000; // milliseconds
const most = 300; // that are kept

/** Their keys in the store "meta" are [trail, at, number]: no stream has that name. */
const trail = "";

export type Kept = WakeUp & { readonly tab: string };

export class Trail {
  readonly #name: string;
  readonly #turns: () => readonly WakeUp[];
  #kept = new Set<string>(); // of those that turns gives
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  /** turns gives the last ones of this context. */
  constructor(name: string, turns: () => readonly WakeUp[]) {
    this.#name = name;
    this.#turns = turns;
  }

  /** There may be more. */
  changed(): void {
    if (!this.#ended) this.#timer ??= setTimeout(() => void this.keep(), late);
  }

  /** Keeps what is not kept yet. */
  async keep(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const all = this.#turns(), turns = all.filter((turn) => !this.#kept.has(keyOf(turn)));
    if (turns.length === 0 || !globalThis.indexedDB) return;
    this.#kept = new Set(all.map(keyOf));
    await write(this.#name, turns.map((turn) => ({ ...turn, tab: globalThis.document?.title || "a worker" }))).catch(() => {});
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

const keyOf = ({ at, took, because, data }: WakeUp) => `${at} ${took} ${because} ${data}`;

/** Writes into a database that is there, and lets go of it at once. */
async function write(name: string, turns: readonly Kept[]): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new Error("no answer")); // some are forgotten
    }, patience);
    request.onupgradeneeded = () => request.transaction!.abort(); // it is not there
    request.onerror = (e) => {
      e.preventDefault();
      clearTimeout(timer);
      reject(request.error ?? new Error("it did not open"));
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      if (late) request.result.close();
      else resolve(request.result);
    };
  });
  db.onversionchange = () => db.close();
  try {
    await new Promise<void>((resolve, reject) => {
      const tx = db.transaction("meta", "readwrite"), meta = tx.objectStore("meta");
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new Error("aborted"));
      db.onclose = () => reject(new Error("closed")); // Chromium forgets what is under way
      turns.forEach((turn, i) => meta.put(turn, [trail, turn.at, i + Math.random()]));
      const keys = meta.getAllKeys(IDBKeyRange.bound([trail], [trail, []]));
      keys.onsuccess = () => {
        const old = keys.result[keys.result.length - most - 1];
        if (old) meta.delete(IDBKeyRange.bound([trail], old));
      };
    });
  } finally {
    db.close();
  }
}
