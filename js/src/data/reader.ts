// What apps read of a data stream: from what is kept here, and from the server where it is not.
import { loggedEntry, queuedEntry, valueOf, type Entry } from "./entries.js";
import { mayHave, unpack, type Frame } from "./frames.js";
import { rows } from "./span.js";
import type { Block, Queued, Stored, Tx } from "./store.js";
import type { DataSync } from "./sync.js";
import type { Page } from "./wire.js";

/** A frame, and the offset before it. */
interface Placed {
  readonly f: Frame;
  readonly before: string;
}

/** The stream that is read. */
interface Of {
  readonly name: string;
  /** The row of it, of a transaction; throws where it is another one's, or none. */
  mine(s: Stored | undefined): Stored;
  /** Whether the server is known to have had it. */
  exists(): boolean;
}

export class Reader {
  readonly #sync: DataSync;
  readonly #of: Of;
  #queued = new Map<string, Promise<Entry>>(); // what is pending, read once

  constructor(sync: DataSync, of: Of) {
    this.#sync = sync;
    this.#of = of;
  }

  /** Entries in order, from behind an offset on, or as they are kept here. */
  async read(after: string | undefined, limit: number): Promise<readonly Entry[]> {
    const { url } = this.#sync.host.transport, out: Entry[] = [];
    const kept = (from: string | null) =>
      this.#sync.store.run("readonly", ["streams", "queue", "blocks"], async (tx) => {
        const s = await this.#row(tx), at = from ?? after ?? s.from;
        // What lies before the local part, or was never fetched, is fetched now.
        if (from === null && after !== undefined && url !== "" && (s.from === "" || at < s.from)) return { s, here: null };
        return { s, here: await this.#kept(tx, at, s.offset, limit - out.length, out) };
      });
    let { s, here } = await kept(null);
    if (!here) {
      const at = await this.#before(out, s, after!, limit);
      if (out.length >= limit) return out;
      ({ s, here } = await kept(at));
    }
    for (const placed of here!.frames) out.push(await this.entry(placed, s.type));
    for (const q of here!.queued) out.push(await this.queued(q));
    return out;
  }

  /** What is kept here behind an offset, and what is queued, but for what is there already. */
  async #kept(tx: Tx, at: string, end: string, limit: number, known: readonly Entry[]): Promise<{ frames: Placed[]; queued: Queued[] }> {
    const { name } = this.#of, frames = end !== "" && at >= end ? [] : await framesAfter(tx, name, at, limit), room = limit - frames.length, queued: Queued[] = [];
    if (room > 0) {
      const logged = new Set([...known.map((e) => e.id), ...frames.map(({ f }) => f.id)]);
      await tx.walk<Queued>("queue", rows(name), (q) => {
        if (!logged.has(q.id)) queued.push(q);
        return queued.length < room;
      });
    }
    return { frames, queued };
  }

  async #row(tx: Tx): Promise<Stored> {
    return this.#of.mine(await tx.get<Stored>("streams", this.#of.name));
  }

  /** Fetches the entries from an offset on up to where the local part begins, and gives the offset behind them. */
  async #before(out: Entry[], s: Stored, at: string, limit: number): Promise<string> {
    for (;;) {
      const page = await this.#page(at, Math.min(limit - out.length, 1000));
      if (!page) return at; // nobody has made the stream yet
      for (const placed of placedOf(page.bytes, page.from)) {
        if (s.from !== "" && placed.f.offset > s.from) return s.from;
        out.push(await this.entry(placed, page.type));
      }
      at = page.next;
      if (page.upToDate || out.length >= limit) return at;
    }
  }

  async #page(after: string, limit: number): Promise<Page | null> {
    try {
      const page = await this.#sync.wire.read(this.#of.name, `offset=${encodeURIComponent(after)}&limit=${limit}&`);
      if ("status" in page && page.code === "not-found" && !this.#of.exists()) return null;
      if ("status" in page) throw page.code === "malformed" ? this.#sync.host.kit.invalid("/after", page.message) : page;
      return page;
    } catch (e) {
      throw this.#failure(e);
    }
  }

  /** What the server says, or what lies before it, as an app's error. */
  #failure(e: unknown): unknown {
    const { kit } = this.#sync.host;
    if (e instanceof Error) return e;
    const { code, message } = e as { code: string; message: string };
    const lasts = ["gone", "exists", "content-type", "forbidden", "upgrade"].includes(code);
    return kit.errorOf({ code, message: `${code}: ${message}`, retryable: !lasts });
  }

  /** One entry by its id, wherever it is; undefined where there is none. */
  async get(id: string): Promise<Entry | undefined> {
    const { name } = this.#of;
    const { found, mine, type } = await this.#sync.store.run("readonly", ["streams", "queue", "blocks"], async (tx) => {
      const { type } = await this.#row(tx);
      const mine = (await tx.byID<Queued>("queue", id)).find((q) => q.stream === name);
      let found: Placed | undefined;
      if (!mine) {
        await tx.walk<Block>("blocks", rows(name), (b) => {
          if (mayHave(b.bytes, id)) found = placedOf(b.bytes, b.from).find(({ f }) => f.id === id);
          return !found;
        });
      }
      return { found, mine, type };
    });
    if (mine) return this.queued(mine);
    if (found) return this.entry(found, type);
    if (!this.#sync.host.transport.url) return undefined;
    try {
      const page = await this.#sync.wire.read(name, `entry=${encodeURIComponent(id)}&`);
      if ("status" in page) {
        if (page.code === "not-found" || page.code === "gone") return undefined;
        throw page;
      }
      const [placed] = placedOf(page.bytes, page.from);
      return placed && (await this.entry(placed, page.type));
    } catch (e) {
      throw this.#failure(e);
    }
  }

  /** An entry of the log; a large one is read from where it is kept, or from the server. */
  async entry({ f, before }: Placed, type: string): Promise<Entry> {
    if (f.body) return loggedEntry(f, valueOf(f.body, type));
    const { name } = this.#of;
    const fetched = async () => new Uint8Array(await (await this.#sync.wire.bytes(name, `offset=${before}`, f.size)).arrayBuffer());
    try {
      const kept = await this.#sync.store.run("readonly", ["large"], (tx) => tx.get<Blob>("large", [name, f.offset]));
      // A copy that the browser cannot read any more is as good as none.
      const bytes = kept ? await kept.arrayBuffer().then((b) => new Uint8Array(b), fetched) : await fetched();
      return loggedEntry(f, valueOf(bytes, type));
    } catch (e) {
      throw this.#failure(e);
    }
  }

  /** An entry that is pending: its bytes are read once, however often it is shown. */
  queued(q: Queued): Promise<Entry> {
    let entry = this.#queued.get(q.id);
    if (!entry) {
      entry = queuedEntry(q);
      this.#queued.set(q.id, entry);
      entry.catch(() => this.#queued.delete(q.id));
    }
    return entry;
  }

  /** Only these are pending. */
  keep(queued: readonly Queued[]): void {
    if (this.#queued.size <= queued.length) return;
    const ids = new Set(queued.map((q) => q.id));
    for (const id of this.#queued.keys()) if (!ids.has(id)) this.#queued.delete(id);
  }
}

/** The frames of a run of entries, with what lies before each. */
export function placedOf(bytes: Uint8Array, from: string): Placed[] {
  let before = from;
  return unpack(bytes).map((f) => {
    const placed = { f, before };
    before = f.offset;
    return placed;
  });
}

/** The frames that are kept behind an offset, in order, as many as are asked for. What is read does not grow with the log. */
async function framesAfter(tx: Tx, stream: string, at: string, limit: number): Promise<Placed[]> {
  const out: Placed[] = [];
  let begun = false;
  const take = (b: Block) => {
    begun ||= b.to > at;
    for (const placed of begun ? placedOf(b.bytes, b.from) : []) if (out.length < limit && placed.f.offset > at) out.push(placed);
    return begun && out.length < limit;
  };
  await tx.walk<Block>("blocks", rows(stream), take); // most begin with the first one
  if (!begun) await tx.walk<Block>("blocks", rows(stream, (await blockAt(tx, stream, at)) - 1), (b) => (take(b), out.length < limit));
  return out;
}

/** The place of the block where what lies behind an offset begins: blocks have places without gaps. */
async function blockAt(tx: Tx, stream: string, at: string): Promise<number> {
  let low = -1;
  await tx.walk<Block>("blocks", rows(stream), (b) => {
    low = b.to > at ? -1 : b.n;
    return false;
  });
  if (low < 0) return 0;
  const s = await tx.get<Stored>("streams", stream);
  for (let high = s!.block; high - low > 1; ) { // low ends before it, high does not
    const mid = (low + high) >> 1;
    const b = await tx.get<Block>("blocks", [stream, mid]);
    if (b && b.to <= at) low = mid;
    else high = mid;
  }
  return low + 1;
}
