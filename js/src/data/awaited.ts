// Entries that actions refer to: these are not sent before the server has them.
import type { Loop } from "./loop.js";
import { type Queued, type Refused, type Store, type Stored } from "./store.js";
import type { DataStream } from "./stream.js";

const most = 10_000; // entries that are remembered

/** The data streams of the database, in this context. */
interface Of {
  readonly store: Store;
  readonly loop: Loop;
  readonly streams: ReadonlyMap<string, DataStream>;
}

export class Awaited {
  readonly #of: Of;
  readonly #entries = new Map<string, readonly [stream: string, entry: string]>();
  readonly #durable = new Set<string>(); // entries that were asked for and are on the server

  constructor(of: Of) {
    this.#of = of;
  }

  /** Has the loop told when the server has an entry. */
  add(stream: string, entry: string): void {
    this.#entries.set(`${stream} ${entry}`, [stream, entry]);
    this.look();
  }

  /** Some of them may be on the server now. */
  look(): void {
    for (const [key, [stream, entry]] of this.#entries) {
      if (!this.#is(stream, entry)) continue;
      this.#entries.delete(key);
      this.#of.loop.durable(stream, entry);
    }
  }

  /** Tells whether the server has an entry, as far as that is known at once; where it is not, it is looked for. */
  #is(stream: string, id: string): boolean {
    if (this.#durable.has(id)) return true;
    const open = this.#of.streams.get(stream);
    if (open?.waits(id)) return false;
    void this.#of.store
      .run("readonly", ["streams", "queue", "rejected"], async (tx) => {
        const s = await tx.get<Stored>("streams", stream);
        open?.mine(s); // nothing is queued where nothing is stored any more
        const queued = (await tx.byID<Queued>("queue", id)).some((q) => q.stream === stream && q.n > (s?.acked ?? -1));
        return !queued && !(await tx.byID<Refused>("rejected", id)).some((r) => !r.dealt);
      })
      .then((yes) => {
        if (!yes || this.#durable.has(id)) return;
        if (this.#durable.size > most) this.#durable.clear();
        this.#durable.add(id);
        this.look();
      })
      .catch(() => {});
    return false;
  }
}
