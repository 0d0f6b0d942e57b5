// The data streams of one database: what is open here and in other contexts, who works for whom, and what becomes of them when the storage goes. Any number
// of contexts may work at once; the leader works for all, the others tell the leader.
import type { Host } from "./kit.js";
import { newProducer } from "./producer.js";
import { rows, Store, type Queued, type Refused, type Stored } from "./store.js";
import { checkOptions, type DataStreamOptions } from "./options.js";
import { DataStream } from "./stream.js";
import type { Hint } from "./work.js";
import { Requests } from "./requests.js";
import { Presence } from "../contexts/presence.js";
import { Transport } from "./transport.js";
import { Turns } from "./turns.js";
import { Works } from "./works.js";

const hearsay = 500; // milliseconds in which it is heard that somebody destroys the database
const verdictLife = 7 * 86_400_000; // milliseconds that what became of an entry is remembered for the context that has appended it

export class DataSync {
  readonly host: Host;
  readonly store: Store;
  readonly transport: Transport;
  readonly #open = new Map<string, DataStream>();
  readonly #users: InstanceType<Host["kit"]["Users"]>;
  readonly presence: Presence;
  readonly #wanted = new Map<string, Set<string>>(); // what is open, in which contexts that live: these are fetched
  readonly works: Works;
  readonly #requests: Requests;
  readonly turns: Turns;
  readonly #durable = new Set<string>(); // entries that were asked for and are on the server
  readonly #unlisten: (() => void)[] = [];
  #leader = false;
  #frozen = false;
  #closed = false;
  #left = false; // somebody is about to destroy the database
  #forgotten: Stored[] = []; // by this context

  constructor(host: Host) {
    this.host = { ...host, tell: (message) => this.store.durable && host.tell(message) }; // nobody else sees what is in memory
    this.#users = new host.kit.Users();
    this.store = new Store(host, () => this.#missing());
    this.transport = new Transport(host);
    this.presence = new Presence(host.shared);
    this.works = new Works(host);
    this.#requests = new Requests({
      host: this.host, store: this.store, transport: this.transport, streams: this.#open,
      changed: (name, tell) => this.turns.changed(name, tell),
    });
    this.turns = new Turns({
      host: this.host, store: this.store, streams: this.#open, wanted: this.#wanted,
      leads: () => this.#leader, frozen: () => this.#frozen, closed: () => this.#closed,
    }, this.works, this.#requests);
    for (const event of ["online", "offline", "visibilitychange", "pageshow"]) {
      const target = event === "visibilitychange" ? globalThis.document : globalThis;
      const told = () => (event === "offline" ? this.turns.offline() : this.turns.wakeAll(event));
      target?.addEventListener(event, told);
      this.#unlisten.push(() => target?.removeEventListener(event, told));
    }
  }

  // ---- what the database tells

  lead(yes: boolean): void {
    this.#leader = yes || !this.store.durable; // who is alone works for itself
    this.presence.forget();
    if (!yes) return;
    this.#wanted.clear();
    for (const name of this.#open.keys()) this.#want(name, this.presence.id);
    this.host.tell({ data: "who" } satisfies Hint);
    void this.#adopt();
  }

  freeze(yes: boolean): void {
    this.#frozen = yes;
    if (yes) return this.presence.hide();
    if (this.#open.size > 0) this.presence.show();
    for (const [name, stream] of this.#open) {
      this.host.tell({ data: "open", name, from: this.presence.id } satisfies Hint); // the leader may have taken it for gone
      void stream.refresh(); // what was told meanwhile was not heard
      this.turns.wake(name, "write");
    }
    this.turns.wakeAll("resume");
  }

  /** What another context told. Only a hint: what counts is read from the store. */
  hear(message: unknown): void {
    if (!this.store.durable) return; // what others tell is of another store
    const hint = message as Hint;
    const { name } = hint;
    if (hint.data === "left") this.#left = hint.name === undefined;
    if (hint.data === "who") for (const name of this.#open.keys()) this.host.tell({ data: "open", name, from: this.presence.id } satisfies Hint);
    if (typeof name !== "string") return;
    if (hint.data === "open") {
      this.#want(name, hint.from ?? "");
      this.turns.wake(name, "opened");
    }
    if (hint.data === "close") this.#unwanted(name, hint.from ?? "");
    const stream = this.#open.get(name);
    for (const [id, index] of hint.acked ?? []) stream?.acked(id, index);
    if (hint.progress) stream?.progress(hint.progress.id, hint.progress.sent, hint.progress.size);
    if (hint.data === "wake") this.turns.wake(name, "write");
    if (hint.data === "changed") {
      if (hint.work) {
        this.works.told(name, hint.work);
      }
      void stream?.refresh();
      this.host.poke();
    }
  }

  /** The leader sends what contexts that are gone have left behind. */
  async #adopt(): Promise<void> {
    try {
      for (const s of await this.#requests.all()) if ((await this.#requests.queued(s)) > 0 || this.#wanted.has(s.name)) this.turns.wake(s.name, "leader");
      await this.store.run("readwrite", ["rejected"], async (tx) => {
        for (const r of await tx.all<Refused>("rejected", null)) if (r.dealt !== undefined && r.dealt < Date.now() - verdictLife) tx.delete("rejected", [r.stream, r.n]);
      });
    } catch (e) {
      if (!this.#closed) this.host.log("warn", "storage", "the data streams cannot be read", e);
    }
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
    await stream.refresh();
    if (this.#closed) throw this.host.kit.errorOf({ code: "closed", message: "closed: the database is closed" });
    stream.again(options);
    stream.life.turn("open");
    this.#users.made(name, stream);
    this.#open.set(name, stream);
    this.presence.show();
    this.#want(name, this.presence.id);
    this.host.tell({ data: "open", name, from: this.presence.id } satisfies Hint);
    this.turns.wake(name, "opened");
    return stream;
  }

  /**
   * The database was taken away: what is open goes on in memory, and is fetched anew. What contexts that are gone had queued is lost. Nobody knows
   * what the server has of the rest: it is sent again under another name, and the server leaves out the ids that it has.
   */
  async taken(): Promise<void> {
    if (!this.store.durable || !this.host.url || this.#left) return; // what somebody destroys on purpose is not to be sent
    this.store.refuge();
    await this.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      for (const [name, stream] of this.#open) {
        const { row, queue, rejected } = stream.lost(fresh(name));
        tx.put("streams", row);
        for (const q of queue) tx.put("queue", q);
        for (const r of rejected) tx.put("rejected", r);
      }
    });
    this.lead(true);
    for (const [name, stream] of this.#open) {
      void stream.refresh();
      this.turns.wake(name, "opened");
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
    this.#unwanted(name, this.presence.id);
    this.host.tell({ data: "close", name, from: this.presence.id } satisfies Hint);
    this.host.statusChanged();
  }

  /** A context has it open, until it says otherwise, or is gone. */
  #want(name: string, by: string): void {
    const contexts = this.#wanted.get(name);
    if (contexts) contexts.add(by);
    else this.#wanted.set(name, new Set([by]));
    if (this.#leader) this.presence.watch(by, () => [...this.#wanted.keys()].forEach((name) => this.#unwanted(name, by)));
  }

  #unwanted(name: string, by: string): void {
    const contexts = this.#wanted.get(name);
    if (contexts?.delete(by) && contexts.size === 0) this.#wanted.delete(name);
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

  /** Tells whether the server has an entry, as far as that is known at once; where it is not, the host is poked when it is. */
  durable(stream: string, id: string): boolean {
    if (this.#durable.has(id)) return true;
    if (this.#open.get(stream)?.waits(id)) return false;
    void this.store
      .run("readonly", ["streams", "queue", "rejected"], async (tx) => {
        const s = await tx.get<Stored>("streams", stream);
        this.#open.get(stream)?.mine(s); // nothing is queued where nothing is stored any more
        const queued = (await tx.byID<Queued>("queue", id)).some((q) => q.stream === stream && q.n > (s?.acked ?? -1));
        return !queued && !(await tx.byID<Refused>("rejected", id)).some((r) => !r.dealt);
      })
      .then((yes) => {
        if (!yes || this.#durable.has(id)) return;
        if (this.#durable.size > 10_000) this.#durable.clear();
        this.#durable.add(id);
        this.host.poke();
      })
      .catch(() => {});
    return false;
  }
  /** Goes on with a new stream in the place of one that is gone: what was read of it is forgotten, what is pending is sent. */
  async restart(name: string): Promise<void> {
    await this.store.run("readwrite", ["streams", "queue", "blocks", "large"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      if (!s?.gone) return;
      tx.delete("blocks", rows(name));
      tx.delete("large", IDBKeyRange.bound([name, ""], [name, "\uffff"]));
      tx.delete("queue", rows(name, -1, s.acked));
      tx.put("streams", { ...fresh(name), born: s.born, keep: s.keep, type: s.type, life: s.life + 1, next: s.next, acked: s.acked, block: s.block });
    });
    this.turns.changed(name, true);
    this.turns.wake(name, "write");
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
    for (const f of this.#unlisten) f();
    this.presence.hide();
    this.presence.forget();
    for (const stream of [...this.#open.values()]) stream.end(error);
    this.transport.close();
    await this.turns.end();
    await this.store.close();
  }
}

/** A stream of which nothing is known. */
function fresh(name: string): Stored {
  const born = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  return { name, born, life: 0, keep: "all", type: "", producer: newProducer(born), next: 0, acked: -1, from: "", offset: "", head: 0, block: 0, kept: 0, bytes: 0, exists: false, gone: false, closed: false };
}
