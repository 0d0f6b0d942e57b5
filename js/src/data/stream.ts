// A data stream as apps have it: its life, what is appended, and what is told of it.
import { Appends } from "./appends.js";
import { rejectedEntry, type DataLive, type Entry, type RejectedEntry } from "./entries.js";
import { First } from "./first.js";
import { mediaType, type DataStreamOptions } from "./options.js";
import { Reader } from "./reader.js";
import { Refresh } from "./refresh.js";
import { copied } from "./request.js";
import { rows } from "./span.js";
import { gone, type Queued, type Refused, type Stored, type Tx } from "./store.js";
import { Subscription, type Listener } from "./subscription.js";
import type { DataSync } from "./sync.js";
import { Told, type DataEvents, type Progress } from "./told.js";
import { asyncDispose, until, type Ending, type Until } from "../values/ending.js";
import type { SyncError } from "../values/errors.js";
import type { Life } from "../values/life.js";
import type { StreamStatus } from "../values/states.js";
import type { Write } from "../values/write.js";

export class DataStream {
  readonly name: string;
  /** @internal */
  readonly life: Life;
  readonly #sync: DataSync;
  readonly #reader: Reader;
  readonly #told: Told;
  readonly #appends: Appends;
  readonly #subscriptions = new Set<Subscription>();
  readonly #onEnd = new Set<() => void>();
  #stored!: Stored;
  #pending = 0;
  #rejected: readonly RejectedEntry[] = Object.freeze([]);
  #refusals: readonly Refused[] = []; // as they are stored
  readonly #reading: Refresh;
  readonly #first = new First();

  /** @internal */
  constructor(sync: DataSync, name: string) {
    this.#sync = sync;
    this.name = name;
    const { kit } = sync.host;
    this.life = new kit.Life(kit.errorOf({ code: "starting", message: `starting: data stream ${name} is being opened` }));
    this.#appends = new Appends({
      sync, name, life: this.life,
      stored: () => this.#stored,
      row: (tx) => this.#in(tx),
      stands: (more) => (this.#pending += more),
      appended: (row) => {
        sync.host.tell({ data: "changed", name });
        const known = row?.life === this.#stored.life && row.acked === this.#stored.acked && !this.#reading.busy;
        if (known) this.#stored = row;
        void (known ? this.#changed() : this.refresh());
        sync.loop.queued(name, this.#pending, true);
      },
    });
    this.#reading = new Refresh(() => this.#read(), (e) => {
      if (this.#stored === undefined) throw e;
      if (this.life.ended) return false;
      sync.host.log("warn", "storage", `data stream ${name} cannot be read`, e);
      return true;
    });
    this.#reader = new Reader(sync, { name, mine: (s) => this.mine(s), exists: () => this.#stored.exists });
    const stands = () => ({ ...sync.loop.stands(name), head: this.#stored.head, pending: this.#pending, rejected: this.#rejected.length });
    this.#told = new Told({ stream: this, kit, stands, rejected: () => this.#rejected, thrown: (e) => this.#thrown(e) });
  }

  get live(): DataLive {
    return this.#told.live;
  }

  #thrown(e: unknown): void {
    this.#sync.host.log("warn", "listener", `a listener of data stream ${this.name} threw`, e);
  }

  // ---- its life

  /** @internal */
  again(options: DataStreamOptions): this {
    const type = options.contentType;
    if (type !== undefined && this.#stored.type && mediaType(type) !== mediaType(this.#stored.type)) {
      throw this.#sync.host.kit.invalid("/contentType", `the stream is ${this.#stored.type}`);
    }
    return this;
  }

  /** Resolves when it has ended, with the reason. */
  get closed(): Promise<SyncError> {
    return this.life.closed;
  }

  async close(): Promise<void> {
    if (this.life.ended) return;
    if (!this.#sync.letGo(this)) return this.flushed;
    const why = this.#sync.host.kit.errorOf({ code: "closed", message: `closed: data stream ${this.name} is closed` });
    await this.finish(why);
    this.end(why);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Nothing new begins, and what was appended is stored. */
  async finish(why: Error): Promise<void> {
    if (this.life.lives) this.life.turn("closing", why as SyncError);
    await this.#appends.flushed;
  }

  /** @internal */
  end(error: Error): void {
    if (this.life.ended) return;
    this.life.turn("closed", error as SyncError);
    this.#first.release();
    this.#reading.end();
    this.#appends.end(error as SyncError);
    for (const over of [...this.#onEnd]) over();
    this.#told.end(error as SyncError);
    this.#sync.forget(this);
  }

  /** @internal A row of the stream, unless it is another one's: a database that was taken away and made anew by another context has rows of its own. */
  mine(s: Stored | undefined): Stored {
    if (!s || (this.#stored && s.born !== this.#stored.born)) throw gone;
    return s;
  }

  async #in(tx: Tx): Promise<Stored> {
    return this.mine(await tx.get<Stored>("streams", this.name));
  }

  /** @internal */
  get born(): string {
    return this.#stored.born;
  }

  /** @internal Resolves when what was appended here is stored, or refused. */
  get flushed(): Promise<void> {
    return this.#appends.flushed;
  }

  /** @internal The local database is gone. Gives a row with what is known of the stream, what was appended here since the page was loaded, and what was refused. */
  lost(fresh: Stored): { row: Stored; queue: Queued[]; rejected: Refused[] } {
    const queue = this.#appends.lost();
    const rejected = this.#refusals.map((r, i) => ({ ...r, n: queue.length + i }));
    const { keep, type, life, exists } = this.#stored;
    this.#stored = { ...fresh, keep, type, life: life + 1, exists, next: queue.length + rejected.length };
    return { row: this.#stored, queue, rejected };
  }

  /** Goes on with a new stream in the place of one that was deleted on the server. */
  async restart(): Promise<void> {
    this.life.check();
    await this.#sync.restart(this.name);
    await this.refresh();
  }

  // ---- what is appended

  append(value: unknown): Write<undefined> {
    return this.#appends.append(value);
  }

  /** @internal Takes over an entry that another profile has not sent; false where it waits here already. The server knows an id that it has. */
  adopt(id: string, value: unknown): Promise<boolean> {
    return this.#appends.adopt(id, value);
  }

  get contentType(): string {
    return this.#appends.contentType;
  }

  /** @internal Whether an entry was appended here, and is not on the server. */
  waits(id: string): boolean {
    return this.#appends.waits(id);
  }

  /** What a field of an object says to refer to an entry. The action is not sent before the entry is on the server. */
  ref(entry: string | Write<undefined>): { $data: string; entry: string } {
    return { $data: this.name, entry: typeof entry === "string" ? entry : entry.object };
  }

  async settled(): Promise<void> {
    this.life.check();
    await this.#appends.flushed;
    const [s, pending] = await this.#look();
    this.life.check();
    if (pending === 0) return;
    const settled = this.#appends.settled(s.next - 1);
    void this.refresh(); // it may have been sent meanwhile
    return settled;
  }

  // ---- what is read

  async read(options: { after?: string; limit?: number } = {}): Promise<readonly Entry[]> {
    this.life.check();
    const { kit } = this.#sync.host;
    const { after, limit = Infinity } = options;
    for (const key of Object.keys(options)) if (key !== "after" && key !== "limit") throw kit.invalid(`/${key}`, "is no option");
    if (!(limit >= 1 && (limit === Infinity || Number.isInteger(limit)))) throw kit.invalid("/limit", "is no number from 1 on");
    if (after !== undefined && (typeof after !== "string" || after === "")) throw kit.invalid("/after", "is no offset");
    if (after === undefined && this.#stored.offset === "" && this.#unsettled) await this.#first.wait();
    return Object.freeze(await this.#reader.read(after, limit));
  }

  /** One entry by its id, wherever it is; undefined where there is none. */
  async get(id: string): Promise<Entry | undefined> {
    this.life.check();
    return this.#reader.get(id);
  }

  /** Calls fn with the entries after an offset, those that are kept where none is given, and again whenever there are others. */
  subscribe(fn: Listener, options: { after?: string } & Until = {}): Ending {
    this.life.check();
    if (typeof fn !== "function") throw this.#sync.host.kit.invalid("", "subscribe takes a function");
    const sub = new Subscription(
      {
        name: this.name,
        store: this.#sync.store,
        reader: this.#reader,
        stored: () => this.#stored,
        mine: (s) => this.mine(s),
        unsettled: () => this.#unsettled,
        thrown: (e) => this.#thrown(e),
        waits: (e) => {
          const { code = "internal", message } = e as SyncError;
          if (!this.life.ended) this.#sync.host.log("warn", code, `a subscription to data stream ${this.name} waits: ${message}`, e);
        },
      },
      fn,
      options.after,
    );
    this.#subscriptions.add(sub);
    void sub.show();
    return until(() => {
      sub.end();
      this.#subscriptions.delete(sub);
    }, options, this.#onEnd);
  }

  /** Whether nothing is known of the stream yet, and somebody is asking the server. */
  get #unsettled(): boolean {
    return this.#pending === 0 && /^(starting|syncing)$/.test(this.status.state);
  }

  // ---- how it stands

  get head(): string {
    return this.#stored.offset || "-1";
  }

  get status(): StreamStatus {
    return this.#told.status();
  }

  /** @internal The loop tells that it stands otherwise. */
  stands(): void {
    if (!/^(starting|syncing)$/.test(this.status.state)) this.#first.release();
    this.#changed();
  }

  #changed(): void {
    for (const sub of this.#subscriptions) void sub.show();
    this.#told.changed();
  }

  /** @internal Reads what is stored anew: this context's notes are only a picture of it. */
  refresh(): Promise<void> {
    return this.#reading.now();
  }

  async #read(): Promise<void> {
    const first = this.#stored === undefined;
    const [s, pending, refusals] = await this.#look();
    this.#stored = s;
    this.#pending = pending;
    if (pending === 0) {
      this.#told.sends(null);
      this.#reader.keep([]);
    }
    const known = new Map(this.#rejected.map((r) => [r.id, r]));
    this.#refusals = refusals.filter((r) => !r.dealt);
    const rejected = await Promise.all(this.#refusals.map((r) => known.get(r.id) ?? rejectedEntry(r)));
    if (rejected.length !== known.size || rejected.some((r) => !known.has(r.id))) this.#rejected = Object.freeze(rejected);
    if (!first) for (const r of this.#rejected) if (!known.has(r.id)) this.#refused(r);
    await this.#hear(refusals.filter((r) => r.dealt && r.by === this.#sync.presence.id));
    this.#appends.settle(s.acked, pending);
    this.#sync.loop.queued(this.name, pending, false);
    if (!first) this.#changed();
  }

  #look(): Promise<readonly [Stored, number, Refused[]]> {
    return this.#sync.store.run("readonly", ["streams", "queue", "rejected"], async (tx) => {
      const s = await this.#in(tx);
      return [s, await tx.count("queue", rows(this.name, s.acked)), await tx.all<Refused>("rejected", rows(this.name))] as const;
    });
  }

  /** @internal The server has an entry, at an index. */
  acked(id: string, index: number): void {
    this.#appends.acked(id, index);
  }

  /** @internal */
  progress(progress: Progress | null): void {
    this.#told.progress(progress);
  }

  on<E extends keyof DataEvents>(event: E, fn: (e: DataEvents[E]) => void, options: Until = {}): Ending {
    return this.#told.on(event, fn, options);
  }

  // ---- what was refused

  #refused(r: Pick<Refused, "id" | "code" | "message">): void {
    const { kit } = this.#sync.host;
    this.#appends.fail(r.id, new kit.RejectedError({ code: r.code, message: `${r.code}: ${r.message}` }, { id: r.id }));
    if ("value" in r) this.#told.tell("rejected", r as RejectedEntry);
  }

  /** Hears what became of entries of this context that another one has dealt with: then nobody needs to remember that any more. */
  async #hear(verdicts: readonly Refused[]): Promise<void> {
    if (verdicts.length === 0) return;
    for (const { id, code, message } of verdicts) this.#refused({ id, code, message });
    await this.#sync.store.run("readwrite", ["rejected"], async (tx) => verdicts.forEach((r) => tx.delete("rejected", [r.stream, r.n])));
  }

  /** Entries that the server refused for good. */
  rejected(): readonly RejectedEntry[] {
    return this.#rejected;
  }

  /** Forgets a refused entry. */
  async discard(id: string): Promise<void> {
    await this.#take(id, () => {});
  }

  /** Appends a refused entry again. */
  async retry(id: string): Promise<void> {
    await this.#take(id, (tx, s, { dealt: _, code: _code, message: _message, ...r }) => {
      tx.put("queue", { ...r, n: s.next } satisfies Queued);
      tx.put("streams", { ...s, next: s.next + 1 });
    });
    this.#sync.loop.queued(this.name, this.#pending + 1, true);
  }

  /** Takes one off the list. What became of it stays until the context that had appended it has heard of it. */
  async #take(id: string, to: (tx: Tx, s: Stored, r: Refused) => void): Promise<void> {
    this.life.check();
    const find = async (tx: Tx) => (await tx.byID<Refused>("rejected", id)).find((r) => r.stream === this.name && !r.dealt);
    const seen = await this.#sync.store.run("readonly", ["rejected"], find);
    const value = seen && (await copied(seen.value));
    await this.#sync.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      const r = await find(tx);
      if (!r || value === undefined) throw this.#sync.host.kit.errorOf({ code: "not-found", message: "not-found: no refused entry has this id" });
      if (r.by === undefined || r.by === this.#sync.presence.id) tx.delete("rejected", [r.stream, r.n]);
      else tx.put("rejected", { ...r, value: new Uint8Array(), dealt: Date.now() } satisfies Refused);
      to(tx, await this.#in(tx), { ...r, value });
    });
    this.#sync.host.tell({ data: "changed", name: this.name });
    this.#sync.awaited.look();
    await this.refresh();
  }
}
