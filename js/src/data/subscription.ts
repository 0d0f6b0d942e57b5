// One who reads along: what was handed out, and what is to be.
import type { Entry } from "./entries.js";
import { placedOf, type Reader } from "./reader.js";
import { rows } from "./span.js";
import type { Block, Queued, Store, Stored } from "./store.js";

export type Listener = (entries: readonly Entry[], from: number) => void;

const start = "-1";

/** The stream that is read along. */
interface Of {
  readonly name: string;
  readonly store: Store;
  readonly reader: Reader;
  stored(): Stored;
  mine(s: Stored | undefined): Stored;
  /** Whether nothing is known of it yet, and somebody is asking the server. */
  unsettled(): boolean;
  /** What a listener throws. */
  thrown(e: unknown): void;
  /** It cannot be read at the moment. */
  waits(e: unknown): void;
}

export class Subscription {
  readonly #of: Of;
  readonly #fn: Listener;
  readonly #after: string | undefined; // as it was asked for, until the entries behind it are known
  #life = -1; // of the stream that they are of
  #known: Entry[] = []; // of the log
  #ids = new Set<string | null>();
  #last = ""; // offset of the last one; "" for none
  #block = -1; // that it is of
  #count = -1; // how many of these were handed out; -1: fn was not called
  #waiting = ""; // the ids of the pending ones that were
  #busy = false;
  #again = false;
  #ended = false;

  constructor(of: Of, fn: Listener, after: string | undefined) {
    this.#of = of;
    this.#fn = fn;
    this.#after = after;
  }

  end(): void {
    this.#ended = true;
  }

  /** Brings it up to date, and calls it where there is something new. Where that fails, the next change tries again. */
  async show(): Promise<void> {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#again && !this.#ended) {
        this.#again = false;
        await this.#show();
      }
    } catch (e) {
      if (!this.#ended) this.#of.waits(e);
    } finally {
      this.#busy = false;
    }
  }

  async #show(): Promise<void> {
    const was = this.#of.stored(), { name, reader } = this.#of;
    if (this.#life !== was.life) this.#begin(was.life);
    // What the local part does not have, because it was asked for from further back, or was dropped before it was seen here.
    const back = this.#last === "" ? this.#after : this.#after !== undefined && was.from !== start && was.from > this.#last ? this.#last : undefined;
    if (back !== undefined) {
      for (const e of await reader.read(back, Infinity)) if (!e.pending) this.#know(e);
      this.#last ||= back;
    }
    const { s, blocks, queued } = await this.#of.store.run("readonly", ["streams", "queue", "blocks"], async (tx) => ({
      s: this.#of.mine(await tx.get<Stored>("streams", name)),
      blocks: await tx.all<Block>("blocks", rows(name, this.#block - 1)),
      queued: await tx.all<Queued>("queue", rows(name)),
    }));
    for (const b of blocks) {
      if (b.to > this.#last) for (const placed of placedOf(b.bytes, b.from)) if (placed.f.offset > this.#last) this.#know(await reader.entry(placed, s.type));
      this.#block = b.n;
    }
    const pending = await Promise.all(queued.filter((q) => !this.#ids.has(q.id)).map((q) => reader.queued(q)));
    reader.keep(queued);
    const dropped = this.#drop(s);
    const waiting = pending.map((e) => e.id).join();
    const same = !dropped && this.#count === this.#known.length && this.#waiting === waiting;
    if (this.#ended || same || (this.#count < 0 && s.offset === "" && this.#of.unsettled())) return;
    const from = dropped ? 0 : Math.max(0, this.#count);
    this.#count = this.#known.length;
    this.#waiting = waiting;
    try {
      this.#fn(Object.freeze([...this.#known, ...pending]), from);
    } catch (e) {
      this.#of.thrown(e);
    }
  }

  #begin(life: number): void {
    this.#life = life;
    this.#known = [];
    this.#ids = new Set();
    this.#last = "";
    this.#block = this.#count = -1;
  }

  /** What is not kept here any more is not shown, unless it was asked for. */
  #drop(s: Stored): boolean {
    if (this.#after !== undefined || s.from === "" || s.from === start) return false;
    const n = this.#known.findIndex((e) => e.offset! > s.from);
    const gone = this.#known.splice(0, n < 0 ? this.#known.length : n);
    for (const e of gone) this.#ids.delete(e.id);
    return gone.length > 0;
  }

  #know(e: Entry): void {
    this.#known.push(e);
    if (e.id !== null) this.#ids.add(e.id);
    this.#last = e.offset!;
  }
}
