// The data streams of one database: what is open here, what becomes of a turn that the loop gives one of them, and what becomes of them when the storage
// goes. Any number of contexts may have turns at once.
import { Awaited } from "./awaited.js";
import type { Hint } from "./hint.js";
import type { Host, Seat } from "./kit.js";
import { Loop } from "./loop.js";
import { checkOptions, type DataStreamOptions } from "./options.js";
import { newProducer } from "./producer.js";
import { Requests } from "./requests.js";
import { beside, rows } from "./span.js";
import { Store, type Queued, type Refused, type Stored } from "./store.js";
import { DataStream } from "./stream.js";
import { Wire } from "./wire.js";
import { Presence } from "../contexts/presence.js";

const hearsay = 500; // milliseconds in which it is heard that somebody destroys the database
const verdictLife = 7 * 86_400_000; // milliseconds that what became of an entry is remembered for the context that has appended it

export class DataSync {
  readonly host: Host;
  readonly store: Store;
  readonly wire: Wire;
  readonly presence: Presence;
  readonly loop: Loop;
  readonly awaited: Awaited;
  readonly #open = new Map<string, DataStream>();
  readonly #opening = new Map<string, DataStream>();
  readonly #users: InstanceType<Host["kit"]["Users"]>;
  readonly #requests: Requests;
  #leads = false;
  #closed = false;
  #left = false; // somebody is about to destroy the database
  #forgotten: Stored[] = []; // by this context

  constructor(host: Host) {
    this.host = { ...host, tell: (message) => this.store.durable && host.tell(message) }; // nobody else sees what is in memory
    this.#users = new host.kit.Users();
    this.store = new Store(host, () => this.#missing());
    this.wire = new Wire(host);
    this.presence = new Presence(host.shared);
    this.loop = new Loop(host, (name) => {
      this.#open.get(name)?.stands();
      host.statusChanged();
    }, () => !this.store.durable);
    this.awaited = new Awaited({ store: this.store, loop: this.loop, streams: this.#open });
    this.#requests = new Requests({
      host: this.host, store: this.store, wire: this.wire, streams: this.#open,
      changed: (name) => this.changed(name),
      sent: () => this.awaited.look(),
    });
  }

  // ---- what the database tells

  /** This context leads, or does not: it sends what contexts that are gone have left behind, and looks who is there. */
  lead(yes: boolean): void {
    this.#leads = yes;
    this.presence.forget();
    if (!yes) return;
    this.host.tell({ data: "who" } satisfies Hint);
    void this.#adopt();
  }

  freeze(yes: boolean): void {
    if (yes) return this.presence.hide();
    if (this.#open.size === 0) return;
    this.#here(); // the leader may have taken it for gone
    for (const [name, stream] of this.#open) {
      this.loop.open(name);
      void stream.refresh(); // what was told meanwhile was not heard
    }
  }

  /** Says that this context is there. */
  #here(): void {
    this.presence.show();
    this.host.tell({ data: "here", from: this.presence.id } satisfies Hint);
  }

  /** What another context told. Only a hint: what counts is read from the store. */
  hear(message: unknown): void {
    if (!this.store.durable) return; // what others tell is of another store
    const hint = message as Hint;
    if (hint.data === "left") this.#left = hint.name === undefined;
    if (hint.data === "who" && this.#open.size > 0) this.#here();
    if (hint.data === "here" && this.#leads && typeof hint.from === "string") this.presence.watch(hint.from, () => this.loop.gone());
    const stream = this.#shown(hint.name ?? "");
    for (const [id, index] of hint.acked ?? []) stream?.acked(id, index);
    if (hint.data === "progress") stream?.progress(hint.progress ?? null);
    if (hint.data === "changed") {
      void stream?.refresh();
      this.awaited.look();
    }
  }

  /** Another program is there: it knows nothing. */
  resume(): void {
    this.loop.resume();
    if (this.#leads) void this.#adopt();
  }

  /** The leader sends what contexts that are gone have left behind. */
  async #adopt(): Promise<void> {
    try {
      await this.owed(false);
      await this.store.run("readwrite", ["rejected"], async (tx) => {
        for (const r of await tx.all<Refused>("rejected", null)) if (r.dealt !== undefined && r.dealt < Date.now() - verdictLife) tx.delete("rejected", [r.stream, r.n]);
      });
    } catch (e) {
      if (!this.#closed) this.host.log("warn", "storage", "the data streams cannot be read", e);
    }
  }

  /** Tells the loop what any context has queued, of all streams. */
  async owed(wrote: boolean): Promise<void> {
    for (const s of await this.#requests.all()) this.loop.queued(s.name, await this.#requests.queued(s), wrote);
  }

  /** What any context has queued of a stream that the server does not have, oldest first. */
  async unsent(): Promise<{ type: string; queued: Queued[] }[]> {
    const all = await this.#requests.all();
    return Promise.all(all.map(async ({ name, type, acked }) => ({ type, queued: await this.store.run("readonly", ["queue"], (tx) => tx.all<Queued>("queue", rows(name, acked))) })));
  }

  /** The loop gives a stream its turn. */
  async turn({ host, handle, runtime }: Seat, op: number, name: string, hold: boolean, fetch: boolean): Promise<void> {
    const { sent, fetched, refused, pending, offset, more, failure: f, alone } = await this.#requests.turn(name, hold, fetch);
    if (f?.code === "internal" && !this.#closed) this.host.log("error", f.code, f.message, f.cause);
    if (runtime.live) host.worked(handle, op, sent, fetched, refused, pending, offset, more, f?.wait ?? 0, f && this.host.kit.problemOf(f), alone, this.wire.cost.status, this.wire.cost.bytes);
  }

  /** What is stored of a stream has changed. */
  changed(name: string): void {
    this.host.tell({ data: "changed", name } satisfies Hint);
    void this.#shown(name)?.refresh();
    this.host.statusChanged();
  }

  /** One that is open, or about to be. */
  #shown(name: string): DataStream | undefined {
    return this.#open.get(name) ?? this.#opening.get(name);
  }

  // ---- streams

  open(name: string, options: DataStreamOptions): Promise<DataStream> {
    checkOptions(this.host.kit.invalid, name, options);
    return this.#users.open(name, () => this.#begin(name, options), (stream) => (stream as DataStream).again(options)) as Promise<DataStream>;
  }

  /** One who has a stream open lets go of it; false where others have it open still. */
  letGo(stream: DataStream): boolean {
    return this.#users.letGo(stream.name, stream);
  }

  async #begin(name: string, options: DataStreamOptions): Promise<DataStream> {
    const type = options.contentType ?? "";
    await this.store.run("readwrite", ["streams"], async (tx) => {
      const was = await tx.get<Stored>("streams", name);
      const keep = options.keep ?? was?.keep ?? "all";
      tx.put("streams", { ...(was ?? fresh(name)), keep, type: was?.type || type });
    });
    const stream = new DataStream(this, name);
    this.#opening.set(name, stream); // what changes while it is read is read again
    await stream.refresh().finally(() => this.#opening.delete(name));
    if (this.#closed) throw this.host.kit.errorOf({ code: "closed", message: "closed: the database is closed" });
    stream.again(options);
    stream.life.turn("open");
    this.#users.made(name, stream);
    this.#open.set(name, stream);
    this.#here();
    this.loop.open(name);
    this.loop.queued(name, stream.status.pending, false);
    return stream;
  }

  /**
   * The database was taken away: what is open goes on in memory, and is fetched anew. What contexts that are gone had queued is lost. Nobody knows
   * what the server has of the rest: it is sent again under another name, and the server leaves out the ids that it has.
   */
  async taken(): Promise<void> {
    if (!this.store.durable || !this.host.transport.url || this.#left) return; // what somebody destroys on purpose is not to be sent
    this.store.refuge();
    await this.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      for (const [name, stream] of this.#open) {
        const { row, queue, rejected } = stream.lost(fresh(name));
        tx.put("streams", row);
        for (const q of queue) tx.put("queue", q);
        for (const r of rejected) tx.put("rejected", r);
      }
    });
    for (const [name, stream] of this.#open) {
      this.loop.open(name);
      void stream.refresh().then(() => this.loop.queued(name, stream.status.pending, true));
    }
  }

  /** What is open is not stored any more. Who destroys a database on purpose says so within a moment. */
  async #missing(): Promise<void> {
    await new Promise((r) => setTimeout(r, hearsay));
    if (this.#closed || this.#left || !this.store.durable) return;
    const there = await this.#requests.all().catch(() => null); // an error is no loss, and who was refused has put everything back
    if (!there || [...this.#open.values()].every((stream) => there.some((s) => s.name === stream.name && s.born === stream.born))) return;
    this.host.log("error", "lost", "the browser has lost the database of the data streams");
    await this.taken();
  }

  forget(stream: DataStream): void {
    const { name } = stream;
    this.#users.forget(name, stream);
    if (this.#open.get(name) !== stream) return;
    this.#open.delete(name);
    this.loop.close(name);
    this.host.statusChanged();
  }

  get streams(): ReadonlyMap<string, DataStream> {
    return this.#open;
  }

  /** Forgets all streams, so that no context appends to them any more, where nothing waits for the server, or it is forced; gives how many entries do. */
  async leave(force: boolean): Promise<number> {
    let left: Stored[] = [];
    const pending = await this.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      let n = 0;
      const all = await tx.all<Stored>("streams", null);
      for (const s of all) n += (await tx.count("queue", rows(s.name, s.acked))) + (await tx.all<Refused>("rejected", rows(s.name))).filter((r) => !r.dealt).length;
      if (n > 0 && !force) return n;
      for (const s of all) tx.delete("streams", s.name);
      left = all;
      return 0;
    });
    if (pending > 0) return pending;
    this.#forgotten = left;
    this.#left = true;
    this.host.tell({ data: "left" } satisfies Hint);
    return 0;
  }

  /** The database is not destroyed after all: what was forgotten is there again. */
  async stay(): Promise<void> {
    await this.store.run("readwrite", ["streams"], async (tx) => this.#forgotten.forEach((s) => tx.put("streams", s)));
    this.#left = false;
    this.host.tell({ data: "left", name: "" } satisfies Hint);
  }

  /** Goes on with a new stream in the place of one that is gone: what was read of it is forgotten, what is pending is sent. */
  async restart(name: string): Promise<void> {
    await this.store.run("readwrite", ["streams", "queue", "blocks", "large"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      if (!s?.gone) return;
      tx.delete("blocks", rows(name));
      tx.delete("large", beside(name));
      tx.delete("queue", rows(name, -1, s.acked));
      tx.put("streams", { ...fresh(name), born: s.born, keep: s.keep, type: s.type, life: s.life + 1, next: s.next, acked: s.acked, block: s.block });
    });
    this.changed(name);
    this.loop.open(name);
  }

  /** How many entries of all streams are not on the server. */
  async queued(): Promise<number> {
    let n = 0;
    for (const s of await this.#requests.all()) n += await this.#requests.queued(s);
    return n;
  }

  /** Resolves when what was appended here is stored, or refused. */
  get flushed(): Promise<unknown> {
    return Promise.all([...this.#open.values()].map((stream) => stream.flushed));
  }

  /** Nothing new begins, and what was appended is stored. */
  async finish(why: Error): Promise<void> {
    await Promise.all([...this.#open.values()].map((stream) => stream.finish(why)));
  }

  /** Ends what is under way. */
  async close(error: Error): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.presence.hide();
    this.presence.forget();
    for (const stream of [...this.#open.values()]) stream.end(error);
    await this.store.close();
  }
}

/** A stream of which nothing is known. */
function fresh(name: string): Stored {
  const born = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  return { name, born, life: 0, keep: "all", type: "", producer: newProducer(born), next: 0, acked: -1, from: "", offset: "", head: 0, block: 0, kept: 0, bytes: 0, exists: false, gone: false, closed: false };
}
