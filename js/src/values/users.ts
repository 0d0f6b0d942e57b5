// What is open under names: each once, however many have opened it, until all of them have let go.

/** Something that is open. */
interface Open {
  readonly closed: Promise<unknown>;
  close(): Promise<void>;
}

interface Entry<T> {
  made: Promise<T>;
  it: T | null;
  users: number;
  leaving: boolean;
}

export class Users<T extends Open> {
  readonly #entries = new Map<string, Entry<T>>();

  /** What is there, or is made now. One that is about to end is made anew when it has: two of a name would not know of one another. */
  open(name: string, make: () => Promise<T>, again: (it: T) => T | Promise<T>): Promise<T> {
    const there = this.#entries.get(name);
    if (there?.leaving) return there.it!.closed.then(() => this.open(name, make, again));
    if (there) {
      there.users++; // until it is refused: nobody else ends it meanwhile
      return there.made.then(again).catch((e: unknown) => {
        if (there.it) void there.it.close();
        throw e;
      });
    }
    const entry = { it: null, users: 1, leaving: false } as unknown as Entry<T>;
    this.#entries.set(name, entry);
    entry.made = make();
    entry.made.catch(() => this.#entries.get(name) === entry && this.#entries.delete(name));
    return entry.made;
  }

  /** It was made: it can be let go of from now on. */
  made(name: string, it: T): void {
    const entry = this.#entries.get(name);
    if (entry) entry.it = it;
  }

  /** One lets go of it. False where others have it open still; true where it ends now. */
  letGo(name: string, it: T): boolean {
    const entry = this.#entries.get(name);
    if (entry?.it !== it || entry.leaving) return true;
    if (--entry.users > 0) return false;
    return (entry.leaving = true);
  }

  /** It has ended. */
  forget(name: string, it: T): void {
    if (this.#entries.get(name)?.it === it) this.#entries.delete(name);
  }

  /** What is there, what is about to end with it. */
  get all(): readonly [name: string, it: T][] {
    const out: [string, T][] = [];
    for (const [name, { it }] of this.#entries) if (it) out.push([name, it]);
    return out;
  }
}
