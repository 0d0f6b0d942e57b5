// What is remembered outside of IndexedDB: that a database was there, and how much of it was unsent. A damaged one opens as an empty one, without an
// error. Workers have no such place: a loss is noticed by the next page.

import type { Loss } from "../values/states.js";

interface Testimony {
  life: string; // of the database: one that was made anew has another
  unsent: Map<string, number>; // by stream, as the last context that had it open saw it
  destroyed: boolean; // on purpose
}

const deleted = "strandline/deleted"; // ids of databases, the last ones: a tab that slept is to know that its own is no loss
const mostDeleted = 50;

export class Witness {
  readonly #key: string;
  #life = "";

  constructor(shared: string) {
    this.#key = shared;
  }

  #read(): Testimony | null {
    try {
      const t = JSON.parse(globalThis.localStorage?.getItem(this.#key) ?? "null") as { life?: unknown; unsent?: object; destroyed?: unknown } | null;
      return t && typeof t.life === "string" ? { life: t.life, unsent: new Map(Object.entries(t.unsent ?? {})), destroyed: t.destroyed === true } : null;
    } catch {
      return null; // there is no such place, or somebody else has written there
    }
  }

  /** Compares the database with what is remembered, and remembers it. Gives what was lost, if another one was there. */
  compare(life: string): Loss | null {
    const was = this.#read();
    this.#life = life;
    if (was?.life === life) return null;
    this.#write(new Map());
    return was && !was.destroyed ? { at: Date.now(), unsent: [...was.unsent.values()].reduce((a, b) => a + Number(b), 0) } : null;
  }

  /** Whether a database was there. */
  get knows(): boolean {
    return this.#read()?.destroyed === false;
  }

  /** Whether the database that this context has open was deleted on purpose. */
  get destroyed(): boolean {
    const was = this.#read();
    return (was?.life === this.#life && was.destroyed) || this.#deleted().includes(this.#life);
  }

  /** The database was deleted on purpose: of its name, its user's and its streams' nothing is kept, only that one of that id was. */
  forget(): void {
    const was = this.#read();
    if (!was?.destroyed) return; // another one was made meanwhile
    try {
      globalThis.localStorage?.setItem(deleted, JSON.stringify([...this.#deleted(), was.life].slice(-mostDeleted)));
      globalThis.localStorage?.removeItem(this.#key);
    } catch {
      // forbidden
    }
  }

  #deleted(): readonly unknown[] {
    try {
      const lives: unknown = JSON.parse(globalThis.localStorage?.getItem(deleted) ?? "[]");
      return Array.isArray(lives) ? lives : [];
    } catch {
      return [];
    }
  }

  /** Remembers how much of some streams is unsent. */
  remember(unsent: Iterable<[string, number]>): void {
    const was = this.#read();
    if (was?.life !== this.#life || was.destroyed) return;
    for (const [name, n] of unsent) {
      if (n > 0) was.unsent.set(name, n);
      else was.unsent.delete(name);
    }
    this.#write(was.unsent);
  }

  /** The database is about to be deleted on purpose, or, after all, is not. Who finds it gone then has lost nothing. */
  destroying(yes: boolean): void {
    const was = this.#read();
    if (was) this.#write(was.unsent, yes, was.life);
  }

  #write(unsent: Map<string, number>, destroyed = false, life = this.#life): void {
    const text = JSON.stringify({ life, unsent: Object.fromEntries(unsent), destroyed });
    try {
      globalThis.localStorage?.setItem(this.#key, text);
    } catch {
      // full, or forbidden: then nobody remembers
    }
  }
}
