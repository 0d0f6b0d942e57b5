// What is remembered outside of IndexedDB: that a database was there, and how much of it was unsent. A damaged one opens as an empty one, without an
// error. Workers have no such place: a loss is noticed by the next page.

interface Testimony {
  life: string; // of the database: one that was made anew has another
  unsent: Map<string, number>; // by stream, as the last context that had it open saw it
}

export type Loss = { at: number; unsent: number | null };

export class Witness {
  readonly #key: string;
  #life = "";
  #told = "";

  constructor(shared: string) {
    this.#key = shared;
  }

  #read(): Testimony | null {
    try {
      const t = JSON.parse(globalThis.localStorage?.getItem(this.#key) ?? "null") as { life?: unknown; unsent?: object } | null;
      return t && typeof t.life === "string" ? { life: t.life, unsent: new Map(Object.entries(t.unsent ?? {})) } : null;
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
    return was && { at: Date.now(), unsent: [...was.unsent.values()].reduce((a, b) => a + Number(b), 0) };
  }

  /** Whether a database was there. */
  get knows(): boolean {
    return this.#read() !== null;
  }

  /** Remembers how much of some streams is unsent. */
  remember(unsent: Iterable<[string, number]>): void {
    const was = this.#read();
    if (!this.#life || (was && was.life !== this.#life)) return;
    const all = was?.unsent ?? new Map<string, number>();
    for (const [name, n] of unsent) {
      if (n > 0) all.set(name, n);
      else all.delete(name);
    }
    this.#write(all);
  }

  #write(unsent: Map<string, number>): void {
    const text = JSON.stringify({ life: this.#life, unsent: Object.fromEntries(unsent) });
    if (text === this.#told) return;
    try {
      globalThis.localStorage?.setItem(this.#key, text);
      this.#told = text;
    } catch {
      // full, or forbidden: then nobody remembers
    }
  }

  /** The database was deleted on purpose. */
  forget(): void {
    this.#life = "";
    try {
      globalThis.localStorage?.removeItem(this.#key);
    } catch {
      // there is none
    }
  }
}
