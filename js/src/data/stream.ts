// A data stream as apps see it.
import type { StreamStatus } from "../values/states.js";
import type { SyncError } from "../values/errors.js";
import type { Open, Write } from "../values/write.js";
import type { Events } from "../values/events.js";
import { freeze } from "../values/json.js";
import { unpack, type Frame } from "./frames.js";
import { partBytes } from "./producer.js";
import { gone, rows, unheard, type Block, type Queued, type Refused, type Stored, type Tx } from "./store.js";
import { mediaType, type DataStreamOptions } from "./options.js";
import { blobOf } from "./request.js";
import type { DataSync } from "./sync.js";
import { Failure, type Page } from "./transport.js";

export type Entry = { id: string | null; offset: string | null; value: unknown; pending: boolean };
export type RejectedEntry = { id: string; value: unknown; code: string; message: string; at: number };
export type Progress = { id: string; sent: number; size: number };
type DataEvents = { status: StreamStatus; rejected: RejectedEntry; progress: Progress };
type Listener = (entries: readonly Entry[], from: number) => void;

/** Entries of the log in memory, for one who reads along. */
interface Subscription {
  fn: Listener;
  after: string | undefined; // as it was asked for, until the entries behind it are known
  life: number; // of the stream that they are of
  known: Entry[]; // of the log
  ids: Set<string | null>;
  last: string; // offset of the last one; "" for none
  block: number; // that it is of
  count: number; // how many of these were handed out; -1: fn was not called
  waiting: string; // the ids of the pending ones that were
  busy: boolean;
  again: boolean;
  ended: boolean;
}

const start = "-1";
const maxJSON = (4 << 20) - 1024; // of a message: what a request may have

export class DataStream {
  readonly name: string;
  readonly #sync: DataSync;
  readonly #events: Events<DataEvents>;
  readonly #open = new Map<string, { open: Open<undefined>; n: number; row: Omit<Queued, "n"> }>(); // appended here, and not on the server
  readonly #subscriptions = new Set<Subscription>();
  readonly #settling = new Set<{ upTo: number; resolve: () => void; reject: (e: unknown) => void }>();
  #queue: { open: Open<undefined>; row: Omit<Queued, "n"> }[] = [];
  #writing: Promise<void> = Promise.resolve(); // the appends so far
  #stored!: Stored;
  #pending = 0;
  #rejected: readonly RejectedEntry[] = [];
  #refusals: readonly Refused[] = []; // as they are stored
  readonly #indexes = new Map<string, number>(); // of entries that the server has, until the store says so
  #refreshing: Promise<void> | null = null;
  #stale = false;
  #ended: SyncError | null = null;

  /** @internal */
  constructor(sync: DataSync, name: string) {
    this.#sync = sync;
    this.name = name;
    this.#events = new sync.host.kit.Events(["status", "rejected", "progress"], (e) => this.#thrown(e));
  }

  #thrown(e: unknown): void {
    this.#sync.host.log("warn", "listener", `a listener of data stream ${this.name} threw`, e);
  }

  /** @internal */
  again(options: DataStreamOptions): this {
    const type = options.contentType;
    if (type !== undefined && this.#stored.type && mediaType(type) !== mediaType(this.#stored.type)) {
      throw this.#sync.host.kit.invalid("/contentType", `the stream is ${this.#stored.type}`);
    }
    return this;
  }

  // ---- writes

  append(value: unknown): Write<undefined> {
    const { kit, newID } = this.#sync.host;
    const open = kit.begin<undefined>();
    try {
      this.#check();
      const json = !(value instanceof Uint8Array) && !(value instanceof Blob);
      const { body, size } = json ? this.#text(value) : bytesOf(value);
      if (size === 0) throw kit.invalid("", "an entry has at least one byte");
      const type = this.#typeNow();
      if (type && json !== (mediaType(type) === "application/json")) throw kit.invalid("", json ? `the stream's ${type} takes bytes` : "the stream takes JSON");
      const id = newID();
      open.write.object = id;
      open.write.action = id;
      this.#queue.push({ open, row: { stream: this.name, id, value: body, json, size, at: Date.now() } });
      if (this.#queue.length === 1) this.#writing = this.#writing.then(() => this.#write());
    } catch (e) {
      open.reject(e);
      open.write.fail(e);
    }
    return open.write;
  }

  #typeNow(): string {
    return this.#stored.type || (this.#queue[0] ? (this.#queue[0].row.json ? "application/json" : "application/octet-stream") : "");
  }

  #text(value: unknown): { body: Uint8Array; size: number } {
    const { kit } = this.#sync.host;
    if (value === undefined) throw kit.invalid("", "a value of type undefined is not JSON");
    kit.check(value, "");
    const body = new TextEncoder().encode(JSON.stringify(value));
    if (body.length > maxJSON) throw kit.errorOf({ code: "too-large", message: `too-large: a JSON entry has at most ${maxJSON} bytes` });
    return { body, size: body.length };
  }

  /** Stores what this tick has appended, in one transaction. */
  async #write(): Promise<void> {
    const batch = this.#queue;
    const type = this.#typeNow();
    this.#queue = [];
    try {
      const store = (again: boolean) => this.#sync.store.run("readwrite", ["streams", "queue"], async (tx) => {
        const s = await this.#in(tx);
        if (s.type && mediaType(s.type) !== mediaType(type)) throw this.#sync.host.kit.invalid("", `the stream is ${s.type}`);
        const [kept] = again ? await tx.byID<Queued>("queue", batch[0]!.row.id) : [];
        if (kept) return kept.n;
        batch.forEach((b, i) => tx.put("queue", { ...b.row, n: s.next + i } satisfies Queued));
        tx.put("streams", { ...s, type: s.type || type, next: s.next + batch.length });
        return s.next;
      });
      const first = await this.#verdict(store);
      if (!this.#ended) batch.forEach((b, i) => this.#open.set(b.row.id, { ...b, n: first + i }));
      for (const b of batch) {
        if (this.#sync.store.durable) b.open.resolve(undefined); // else when the server has it
        else if (this.#ended) b.open.reject(this.#ended);
        if (this.#ended) b.open.write.settle(0, this.#ended);
      }
      if (this.#ended) return;
      this.#sync.host.tell({ data: "changed", name: this.name });
      void this.refresh();
      this.#sync.wake(this.name, "write");
    } catch (e) {
      for (const b of batch) {
        b.open.reject(e);
        b.open.write.fail(e);
      }
    }
  }

  /** Stores until it is known that it was, or was not: a transaction of a connection that the browser has closed may have been kept. */
  async #verdict(store: (again: boolean) => Promise<number>): Promise<number> {
    for (let n = 0, unknown = false; ; n++) {
      try {
        return await store(unknown);
      } catch (e) {
        unknown ||= (e as SyncError).cause === unheard;
        if (!unknown || n === 5 || (e as SyncError).code !== "storage") throw e;
        await new Promise((r) => setTimeout(r, 100 << n));
      }
    }
  }

  async #in(tx: Tx): Promise<Stored> {
    const s = await tx.get<Stored>("streams", this.name);
    return this.mine(s);
  }

  /** @internal A row of the stream, unless it is another one's: a database that was taken away and made anew by another context has rows of its own. */
  mine(s: Stored | undefined): Stored {
    if (!s || (this.#stored && s.born !== this.#stored.born)) throw gone;
    return s;
  }

  /** @internal */
  get born(): string {
    return this.#stored.born;
  }

  /** @internal Whether an entry was appended here, and is not on the server. */
  waits(id: string): boolean {
    return this.#open.has(id) || this.#queue.some((q) => q.row.id === id);
  }

  // ---- reads

  async read(options: { after?: string; limit?: number } = {}): Promise<readonly Entry[]> {
    this.#check();
    const { kit, url } = this.#sync.host;
    const { after, limit = Infinity } = options;
    if (!(limit >= 1 && (limit === Infinity || Number.isInteger(limit)))) throw kit.invalid("/limit", "is no number from 1 on");
    if (after !== undefined && (typeof after !== "string" || after === "")) throw kit.invalid("/after", "is no offset");
    if (after === undefined && this.#stored.offset === "" && this.#pending === 0) await this.#sync.first(this.name);
    const { s, blocks, queued } = await this.#local();
    const out: Entry[] = [];
    let at = after ?? s.from;
    // What lies before the local part, or was never fetched, is fetched now.
    if (after !== undefined && url !== "" && (s.from === "" || at < s.from)) at = await this.#before(out, s, at, limit);
    for (const b of blocks) {
      if (out.length >= limit || b.to <= at) continue;
      let before = b.from;
      for (const f of unpack(b.bytes)) {
        if (out.length < limit && f.offset > at) out.push(await this.#entry(f, before, s.type));
        before = f.offset;
      }
    }
    const logged = new Set(out.map((e) => e.id));
    for (const q of queued) if (out.length < limit && !logged.has(q.id)) out.push(await this.#queuedEntry(q));
    return out;
  }

  /** Fetches the entries from an offset on up to where the local part begins, and gives the offset behind them. */
  async #before(out: Entry[], s: Stored, at: string, limit: number): Promise<string> {
    for (;;) {
      const page = await this.#page(at, Math.min(limit - out.length, 1000));
      if (!page) return at; // nobody has made the stream yet
      let before = page.from;
      for (const f of unpack(page.bytes)) {
        if (s.from !== "" && f.offset > s.from) return s.from;
        out.push(await this.#entry(f, before, page.type));
        before = f.offset;
      }
      at = page.next;
      if (page.upToDate || out.length >= limit) return at;
    }
  }

  /** One entry by its id, wherever it is; undefined where there is none. */
  async get(id: string): Promise<Entry | undefined> {
    this.#check();
    const { s, blocks, queued } = await this.#local();
    const mine = queued.find((q) => q.id === id);
    if (mine) return this.#queuedEntry(mine);
    for (const b of blocks) {
      let before = b.from;
      for (const f of unpack(b.bytes)) {
        if (f.id === id) return this.#entry(f, before, s.type);
        before = f.offset;
      }
    }
    if (!this.#sync.host.url) return undefined;
    try {
      const page = await this.#sync.transport.read(this.name, `entry=${encodeURIComponent(id)}&`);
      if ("status" in page) {
        if (page.code === "not-found" || page.code === "gone") return undefined;
        throw new Failure(page.code, page.message);
      }
      const [f] = unpack(page.bytes);
      return f && (await this.#entry(f, page.from, page.type));
    } catch (e) {
      throw this.#failure(e);
    }
  }

  #local(): Promise<{ s: Stored; blocks: Block[]; queued: Queued[] }> {
    return this.#sync.store.run("readonly", ["streams", "queue", "blocks"], async (tx) => {
      const s = await this.#in(tx);
      return { s, blocks: await tx.all<Block>("blocks", rows(this.name)), queued: await tx.all<Queued>("queue", rows(this.name)) };
    });
  }

  async #page(after: string, limit: number): Promise<Page | null> {
    try {
      const page = await this.#sync.transport.read(this.name, `offset=${encodeURIComponent(after)}&limit=${limit}&`);
      if ("status" in page && page.code === "not-found" && !this.#stored.exists) return null;
      if ("status" in page) throw page.code === "malformed" ? this.#sync.host.kit.invalid("/after", page.message) : new Failure(page.code, page.message);
      return page;
    } catch (e) {
      throw this.#failure(e);
    }
  }

  #failure(e: unknown): unknown {
    return e instanceof Failure ? this.#sync.error(e) : e;
  }

  async #entry(f: Frame, before: string, type: string): Promise<Entry> {
    let value = f.body && valueOf(f.body, type);
    if (!f.body) {
      const kept = await this.#sync.store.run("readonly", ["large"], (tx) => tx.get<Blob>("large", [this.name, f.offset]));
      try {
        const blob = kept ?? (await this.#sync.transport.bytes(this.name, `offset=${before}`, f.size));
        value = valueOf(new Uint8Array(await blob.arrayBuffer()), type);
      } catch (e) {
        throw this.#failure(e);
      }
    }
    return Object.freeze({ id: f.id || null, offset: f.offset, value, pending: false });
  }

  async #queuedEntry(q: Queued): Promise<Entry> {
    return Object.freeze({ id: q.id, offset: null, value: await queuedValue(q), pending: true });
  }

  /** Calls fn with the entries after an offset, those that are kept where none is given, and again whenever there are others. */
  subscribe(fn: Listener, options: { after?: string } = {}): () => void {
    this.#check();
    if (typeof fn !== "function") throw this.#sync.host.kit.invalid("", "subscribe takes a function");
    const sub: Subscription = { fn, after: options.after, life: -1, known: [], ids: new Set(), last: "", block: -1, count: -1, waiting: "", busy: false, again: false, ended: false };
    this.#subscriptions.add(sub);
    void this.#show(sub);
    return () => {
      sub.ended = true;
      this.#subscriptions.delete(sub);
    };
  }

  /** Brings a subscription up to date, and calls it where there is something new. Where that fails, the next change tries again. */
  async #show(sub: Subscription): Promise<void> {
    sub.again = true;
    if (sub.busy) return;
    sub.busy = true;
    try {
      while (sub.again && !sub.ended) {
        sub.again = false;
        await this.#showOnce(sub);
      }
    } catch (e) {
      if (!this.#ended) this.#sync.host.log("warn", (e as SyncError).code ?? "internal", `a subscription to data stream ${this.name} waits: ${(e as Error).message}`, e);
    } finally {
      sub.busy = false;
    }
  }

  async #showOnce(sub: Subscription): Promise<void> {
    const was = this.#stored;
    if (sub.life !== was.life) Object.assign(sub, { life: was.life, known: [], ids: new Set(), last: "", block: -1, count: -1 });
    // What the local part does not have, because it was asked for from further back, or was dropped before it was seen here.
    const back = sub.last === "" ? sub.after : was.from !== start && was.from > sub.last ? sub.last : undefined;
    if (back !== undefined) {
      for (const e of await this.read({ after: back })) if (!e.pending) this.#know(sub, e);
      sub.last ||= back;
    }
    const { s, blocks, queued } = await this.#sync.store.run("readonly", ["streams", "queue", "blocks"], async (tx) => ({
      s: await this.#in(tx),
      blocks: await tx.all<Block>("blocks", rows(this.name, sub.block - 1)),
      queued: await tx.all<Queued>("queue", rows(this.name)),
    }));
    for (const b of blocks) {
      let before = b.from;
      for (const f of unpack(b.bytes)) {
        if (f.offset > sub.last) this.#know(sub, await this.#entry(f, before, s.type));
        before = f.offset;
      }
      sub.block = b.n;
    }
    const pending = await Promise.all(queued.filter((q) => !sub.ids.has(q.id)).map((q) => this.#queuedEntry(q)));
    const waiting = pending.map((e) => e.id).join();
    if (sub.ended || (sub.count === sub.known.length && sub.waiting === waiting) || (sub.count < 0 && s.offset === "" && this.#unsettled)) return;
    const from = Math.max(0, sub.count);
    sub.count = sub.known.length;
    sub.waiting = waiting;
    try {
      sub.fn(Object.freeze([...sub.known, ...pending]), from);
    } catch (e) {
      this.#thrown(e);
    }
  }

  /** Whether nothing is known of the stream yet, and somebody is asking the server. */
  get #unsettled(): boolean {
    const { state } = this.#sync.work(this.name);
    return this.#pending === 0 && this.#sync.host.url !== "" && (state === "starting" || state === "syncing");
  }

  #know(sub: Subscription, e: Entry): void {
    sub.known.push(e);
    if (e.id !== null) sub.ids.add(e.id);
    sub.last = e.offset!;
  }

  // ---- state

  get head(): string {
    return this.#stored.offset || start;
  }

  get contentType(): string {
    return this.#typeNow();
  }

  get status(): StreamStatus {
    const w = this.#sync.work(this.name);
    const { url } = this.#sync.host;
    return Object.freeze({
      state: url ? w.state : ("offline" as const),
      reason: w.reason,
      head: this.#stored.head,
      pending: this.#pending,
      rejected: this.#rejected.length,
      next: w.next,
      lastSynced: w.lastSynced,
      error: this.#sync.error(w.failure),
    });
  }

  /** @internal Reads what is stored anew: this context's notes are only a picture of it. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#stale = true;
      return this.#refreshing;
    }
    const run = async () => {
      do {
        this.#stale = false;
        await this.#refresh();
      } while (this.#stale);
    };
    return (this.#refreshing = run().finally(() => (this.#refreshing = null)));
  }

  async #refresh(): Promise<void> {
    const first = this.#stored === undefined;
    try {
      const [s, pending, rejected] = await this.#look();
      this.#stored = s;
      this.#pending = pending;
      const known = new Map(this.#rejected.map((r) => [r.id, r]));
      this.#refusals = rejected;
      this.#rejected = await Promise.all(rejected.map((r) => known.get(r.id) ?? rejectedEntry(r)));
      if (!first) for (const r of this.#rejected) if (!known.has(r.id)) this.#refused(r);
      for (const [id, { open, n }] of this.#open) {
        if (n > s.acked) continue;
        open.resolve(undefined);
        open.write.settle(this.#indexes.get(id) ?? 0, null); // unknown where another context has sent it
        this.#open.delete(id);
        this.#indexes.delete(id);
      }
      for (const wait of this.#settling) {
        if (s.acked < wait.upTo && pending > 0) continue;
        this.#settling.delete(wait);
        wait.resolve();
      }
      for (const sub of this.#subscriptions) void this.#show(sub);
      if (!first) this.#events.emit("status", this.status);
    } catch (e) {
      if (first) throw e;
      if (!this.#ended) this.#sync.host.log("warn", "storage", `data stream ${this.name} cannot be read`, e);
    }
  }

  #look(): Promise<readonly [Stored, number, Refused[]]> {
    return this.#sync.store.run("readonly", ["streams", "queue", "rejected"], async (tx) => {
      const s = await this.#in(tx);
      return [s, await tx.count("queue", rows(this.name, s.acked)), await tx.all<Refused>("rejected", rows(this.name))] as const;
    });
  }

  #refused(r: RejectedEntry): void {
    const { kit } = this.#sync.host;
    this.#fail(r.id, new kit.RejectedError({ code: r.code, message: `${r.code}: ${r.message}` }, { id: r.id }));
    this.#events.emit("rejected", r);
  }

  /** Ends what was promised of an entry. */
  #fail(id: string, error: SyncError): void {
    const open = this.#open.get(id)?.open;
    open?.reject(error); // where it was not kept here
    open?.write.settle(0, error);
    this.#open.delete(id);
  }

  /** @internal The local database is gone. Gives a row with what is known of the stream, what was appended here since the page was loaded, and what was refused. */
  lost(fresh: Stored): { row: Stored; queue: Queued[]; rejected: Refused[] } {
    const queue = [...this.#open.values()].map((open, i) => ({ ...open.row, n: (open.n = i) }));
    const rejected = this.#refusals.map((r, i) => ({ ...r, n: queue.length + i }));
    const { keep, type, life, exists } = this.#stored;
    this.#stored = { ...fresh, keep, type, life: life + 1, exists, next: queue.length + rejected.length };
    return { row: this.#stored, queue, rejected };
  }

  /** @internal The server has an entry, at an index. */
  acked(id: string, index: number): void {
    if (this.#open.has(id)) this.#indexes.set(id, Math.max(0, index));
  }

  /** @internal */
  progress(id: string, sent: number, size: number): void {
    this.#events.emit("progress", { id, sent, size });
  }

  async settled(): Promise<void> {
    this.#check();
    await this.#writing;
    const [s, pending] = await this.#look();
    if (pending === 0) return;
    const settled = new Promise<void>((resolve, reject) => this.#settling.add({ upTo: s.next - 1, resolve, reject }));
    void this.refresh(); // it may have been sent meanwhile
    return settled;
  }

  /** Entries that the server refused for good. */
  rejected(): readonly RejectedEntry[] {
    return this.#rejected;
  }

  /** What a field of an object says to refer to an entry. The action is not sent before the entry is on the server. */
  ref(entry: string | Write<undefined>): { $data: string; entry: string } {
    return { $data: this.name, entry: typeof entry === "string" ? entry : entry.object };
  }

  /** Forgets a refused entry. */
  async discard(id: string): Promise<void> {
    await this.#take(id, () => {});
  }

  /** Appends a refused entry again. */
  async retry(id: string): Promise<void> {
    await this.#take(id, (tx, s, r) => {
      tx.put("queue", { stream: r.stream, n: s.next, id: r.id, value: r.value, json: r.json, size: r.size, at: r.at } satisfies Queued);
      tx.put("streams", { ...s, next: s.next + 1 });
    });
    this.#sync.wake(this.name, "write");
  }

  async #take(id: string, to: (tx: Tx, s: Stored, r: Refused) => void): Promise<void> {
    this.#check();
    await this.#sync.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      const r = (await tx.byID<Refused>("rejected", id)).find((r) => r.stream === this.name);
      if (!r) throw this.#sync.host.kit.errorOf({ code: "not-found", message: "not-found: no refused entry has this id" });
      tx.delete("rejected", [r.stream, r.n]);
      to(tx, await this.#in(tx), r);
    });
    this.#sync.host.tell({ data: "changed", name: this.name });
    this.#sync.host.poke();
    await this.refresh();
  }

  /** Goes on with a new stream in the place of one that was deleted on the server. */
  async restart(): Promise<void> {
    this.#check();
    await this.#sync.restart(this.name);
    await this.refresh();
  }

  on<E extends keyof DataEvents>(event: E, fn: (e: DataEvents[E]) => void): () => void {
    return this.#events.on(event, fn);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await this.#writing;
    this.end(this.#sync.host.kit.errorOf({ code: "closed", message: `closed: data stream ${this.name} is closed` }));
  }

  /** @internal */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error as SyncError;
    for (const id of [...this.#open.keys()]) this.#fail(id, this.#ended);
    for (const wait of this.#settling) wait.reject(error);
    this.#settling.clear();
    for (const sub of this.#subscriptions) sub.ended = true;
    this.#subscriptions.clear();
    this.#sync.forget(this.name);
  }

  #check(): void {
    if (this.#ended) throw this.#ended;
  }
}

/** Bytes as the queue keeps them: its own copy, a Blob where they are many. */
function bytesOf(value: unknown): { body: Blob | Uint8Array; size: number } {
  if (value instanceof Blob) return { body: value, size: value.size };
  const bytes = (value as Uint8Array).slice();
  return { body: bytes.length > partBytes ? blobOf(bytes) : bytes, size: bytes.length };
}

/** An entry's value: JSON, frozen, or bytes of the reader's own. */
function valueOf(body: Uint8Array, type: string): unknown {
  if (mediaType(type) !== "application/json") return body.slice();
  return freeze(JSON.parse(new TextDecoder().decode(body)));
}

async function queuedValue(q: Queued): Promise<unknown> {
  return valueOf(q.value instanceof Blob ? new Uint8Array(await q.value.arrayBuffer()) : q.value, q.json ? "application/json" : "");
}

/** A refused entry for people. Bytes that cannot be read any more, of a file that has gone, are null. */
async function rejectedEntry(r: Refused): Promise<RejectedEntry> {
  const value = await queuedValue(r).catch(() => null);
  return Object.freeze({ id: r.id, value, code: r.code, message: r.message, at: r.at });
}
