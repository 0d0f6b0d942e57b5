// The loop of the data streams of one database: sends what is queued, fetches what is new. It is right with any number of contexts that run it
// at once; the leader runs it for all, the others tell the leader.
import { keepPage } from "./cache.js";
import { unpack, type Frame } from "./frames.js";
import type { Host } from "./kit.js";
import { answered, decide, newProducer, maxBatch, maxBytes, type Outcome, type Producer } from "./producer.js";
import { rows, Store, type Queued, type Refused, type Stored, type Tx } from "./store.js";
import { checkOptions, type DataStreamOptions, type Keep } from "./options.js";
import { DataStream } from "./stream.js";
import type { Hint, Work } from "./work.js";
import { blobOf, copied, request } from "./request.js";
import { Presence } from "../contexts/presence.js";
import { Failure, Transport, type Page } from "./transport.js";

const firstLimit = 3000; // milliseconds that a first read waits for the server
const hearsay = 500; // milliseconds in which it is heard that somebody destroys the database
const verdictLife = 7 * 86_400_000; // milliseconds that what became of an entry is remembered for the context that has appended it
const lateBy = 10_000; // milliseconds that what is pending waits for a leader

const sameRequest = (a: Producer, b: Producer) => a.id === b.id && a.epoch === b.epoch && a.seq === b.seq && a.sent === b.sent && a.batch === b.batch;

export class DataSync {
  readonly host: Host;
  readonly store: Store;
  readonly transport: Transport;
  readonly #open = new Map<string, DataStream>();
  readonly #users: InstanceType<Host["kit"]["Users"]>;
  readonly presence: Presence;
  readonly #wanted = new Map<string, Set<string>>(); // what is open, in which contexts that live: these are fetched
  readonly #work = new Map<string, Work>();
  readonly #errors = new WeakMap<object, InstanceType<Host["kit"]["SyncError"]>>();
  readonly #due = new Set<string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #durable = new Set<string>(); // entries that were asked for and are on the server
  readonly #unlisten: (() => void)[] = [];
  readonly #firsts = new Map<string, (() => void)[]>();
  #leader = false;
  #frozen = false;
  #closed = false;
  #left = false; // somebody is about to destroy the database
  #forgotten: Stored[] = []; // by this context
  #running: Promise<void> | null = null;

  constructor(host: Host) {
    this.host = { ...host, tell: (message) => this.store.durable && host.tell(message) }; // nobody else sees what is in memory
    this.#users = new host.kit.Users();
    this.store = new Store(host, () => this.#missing());
    this.transport = new Transport(host);
    this.presence = new Presence(host.shared);
    for (const event of ["online", "offline", "visibilitychange", "pageshow"]) {
      const target = event === "visibilitychange" ? globalThis.document : globalThis;
      const told = () => (event === "offline" ? this.#offline() : this.#wakeAll(event));
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
      this.wake(name, "write");
    }
    this.#wakeAll("resume");
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
      this.wake(name, "opened");
    }
    if (hint.data === "close") this.#unwanted(name, hint.from ?? "");
    const stream = this.#open.get(name);
    for (const [id, index] of hint.acked ?? []) stream?.acked(id, index);
    if (hint.progress) stream?.progress(hint.progress.id, hint.progress.sent, hint.progress.size);
    if (hint.data === "wake") this.wake(name, "write");
    if (hint.data === "changed") {
      if (hint.work) {
        if (JSON.stringify(this.#work.get(name)) !== JSON.stringify(hint.work)) this.#work.set(name, hint.work);
        if (hint.work.state !== "starting" && hint.work.state !== "syncing") this.#release(name);
      }
      void stream?.refresh();
      this.host.poke();
    }
  }

  /** The leader sends what contexts that are gone have left behind. */
  async #adopt(): Promise<void> {
    try {
      for (const s of await this.#all()) if ((await this.#queued(s)) > 0 || this.#wanted.has(s.name)) this.wake(s.name, "leader");
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
    stream.again(options);
    stream.life.turn("open");
    this.#users.made(name, stream);
    this.#open.set(name, stream);
    this.presence.show();
    this.#want(name, this.presence.id);
    this.host.tell({ data: "open", name, from: this.presence.id } satisfies Hint);
    this.wake(name, "opened");
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
      this.wake(name, "opened");
    }
  }

  /** What is open is not stored any more. Who destroys a database on purpose says so within a moment. */
  async #missing(): Promise<void> {
    await new Promise((r) => setTimeout(r, hearsay));
    if (this.#closed || this.#left || !this.store.durable) return;
    const there = await this.#all().catch(() => null); // an error is no loss, and who was refused has put everything back
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

  work(name: string): Work {
    let w = this.#work.get(name);
    if (!w) this.#work.set(name, (w = { state: "starting", reason: null, next: null, lastSynced: null, failure: null }));
    return w;
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

  // ---- the loop

  /** Something may have to be done for a stream. A context that does not lead leaves it to the one that does, for a while. */
  wake(name: string, because: string): void {
    if (this.#closed || !this.host.url) return;
    if (!this.#leader) {
      if (because === "write") {
        this.host.tell({ data: "wake", name } satisfies Hint);
        if (!this.#timers.has(name)) this.#later(name, lateBy, "late"); // from the first write on that waits
      }
      if (because !== "late") return;
    }
    this.#due.add(name);
    void this.#run();
  }

  #wakeAll(because: string): void {
    if (this.#frozen || globalThis.document?.visibilityState === "hidden") return;
    for (const name of new Set([...this.#wanted.keys(), ...this.#timers.keys()])) this.wake(name, because);
  }

  /** The browser says that it has no network: the leader shows that at once, and looks, since browsers are wrong at times. */
  #offline(): void {
    if (!this.#leader) return;
    for (const [name, w] of this.#work) {
      if (w.state !== "live") continue;
      w.state = "offline";
      this.#plan(name, w, this.host.retry, "offline");
      this.#changed(name, true);
    }
  }

  #later(name: string, ms: number, because: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        if (because !== "late" || (this.#open.get(name)?.status.pending ?? 0) > 0) this.wake(name, because);
      }, ms),
    );
  }

  #run(): Promise<void> {
    return (this.#running ??= (async () => {
      for (let name: string | undefined; !this.#closed && !this.#frozen && (name = this.#due.values().next().value) !== undefined; ) {
        this.#due.delete(name);
        await this.#turn(name);
      }
    })().finally(() => {
      this.#running = null;
      this.#listen();
    }));
  }

  /** Sends what fits into a request, or fetches a page; it is due again where more is left. */
  async #turn(name: string): Promise<void> {
    const w = this.work(name);
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    if (w.state !== "syncing") {
      w.state = "syncing";
      w.next = null;
      this.#changed(name, false);
    }
    try {
      // One request is a turn, so that a large entry keeps no other stream waiting. Who may not write may read; and what is read says what the stream is.
      const sent = await this.#tryPush(name);
      if (sent === true || (this.#wanted.has(name) && (await this.#pull(name)))) {
        this.#due.add(name); // behind the others
        return;
      }
      const again = sent && /^(content-type|exists)$/.test(sent.code) ? await this.#tryPush(name) : sent;
      if (again instanceof Failure) throw again;
      const s = await this.#stored(name);
      if (!s.gone && (await this.#queued(s)) > 0) this.#due.add(name); // written meanwhile
      Object.assign(w, { state: s.gone ? "stopped" : "live", reason: s.gone ? "gone" : null, lastSynced: Date.now(), failure: s.gone ? { code: "gone", message: "the data stream was deleted" } : null });
      if (!s.gone) this.#plan(name, w, this.host.idle, "idle");
    } catch (e) {
      if (this.#closed) return;
      const f = e instanceof Failure ? e : failureOf(e);
      const stops = f.code === "forbidden" || f.code === "upgrade" ? f.code : f.code === "exists" || f.code === "content-type" ? "exists" : null;
      w.failure = { code: f.code, message: f.message };
      w.state = stops ? "stopped" : f.code === "unauthorized" ? "held" : f.code === "unreachable" ? "offline" : "waiting";
      w.reason = stops;
      const jitter = 0.9 + Math.random() / 5;
      this.#plan(name, w, stops ? this.host.idle : Math.max(this.host.retry * jitter, f.wait), stops ? "idle" : "retry");
      if (f.code === "internal") this.host.log("error", f.code, f.message, f.cause);
    }
    this.#changed(name, true);
  }

  /** Makes a request of what is queued: true where more may be, false where nothing is; what failed is given back. */
  async #tryPush(name: string): Promise<boolean | Failure> {
    try {
      return await this.#push(name);
    } catch (e) {
      if (this.#closed) throw e;
      return e instanceof Failure ? e : failureOf(e);
    }
  }

  #plan(name: string, w: Work, ms: number, because: string): void {
    if (!this.#leader) {
      if (because !== "idle") this.#later(name, Math.max(ms, lateBy), "late");
      return;
    }
    w.next = { at: Date.now() + ms, because };
    this.#later(name, ms, because);
  }

  /** Runs the loop here and now, for all that is open; the first failure is thrown. */
  sync(): Promise<void> {
    return this.#runNow([...this.#open.keys()]);
  }

  /** Sends what any context has queued, of all streams, here and now; the first failure is thrown. */
  async drain(): Promise<void> {
    const names: string[] = [];
    for (const s of await this.#all()) if (await this.#queued(s)) names.push(s.name);
    await this.#runNow(names);
  }

  /** How many entries of all streams are not on the server. */
  async queued(): Promise<number> {
    let n = 0;
    for (const s of await this.#all()) n += await this.#queued(s);
    return n;
  }

  readonly #all = () => this.store.run("readonly", ["streams"], (tx) => tx.all<Stored>("streams", null));

  async #runNow(names: string[]): Promise<void> {
    for (const name of names) this.#due.add(name);
    do await this.#run();
    while (this.#due.size > 0 && !this.#closed && !this.#frozen);
    for (const name of names) {
      const { failure } = this.work(name);
      if (failure) throw this.error(failure)!;
    }
  }

  /** The error of a failure: the same one as long as that lasts. */
  error(f: Work["failure"]): InstanceType<Host["kit"]["SyncError"]> | null {
    if (!f) return null;
    let error = this.#errors.get(f);
    if (!error) this.#errors.set(f, (error = this.#errorOf(f)));
    return error;
  }

  #errorOf(f: NonNullable<Work["failure"]>): InstanceType<Host["kit"]["SyncError"]> {
    return this.host.kit.errorOf({ code: f.code, message: `${f.code}: ${f.message}`, retryable: !["gone", "exists", "content-type", "forbidden", "upgrade"].includes(f.code) });
  }

  /** Waits for the first turn of a stream that was never fetched, however it ends: what is nowhere but on the server is not "nothing". */
  async first(name: string): Promise<void> {
    const { state } = this.work(name);
    if (!this.host.url || (state !== "starting" && state !== "syncing")) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, firstLimit);
      const waiting = this.#firsts.get(name) ?? [];
      waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#firsts.set(name, waiting);
    });
  }

  #release(name: string): void {
    for (const go of this.#firsts.get(name) ?? []) go();
    this.#firsts.delete(name);
  }

  #queued(s: Stored): Promise<number> {
    return this.store.run("readonly", ["queue"], (tx) => tx.count("queue", rows(s.name, s.acked)));
  }

  #stored(name: string): Promise<Stored> {
    return this.store.run("readonly", ["streams"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      const open = this.#open.get(name);
      if (open) return open.mine(s);
      if (!s) throw new Failure("not-found", "the data stream is not known here");
      return s;
    });
  }

  #changed(name: string, tell: boolean): void {
    const { state } = this.work(name);
    if (state !== "starting" && state !== "syncing") this.#release(name);
    if (tell) this.host.tell({ data: "changed", name, work: this.work(name) } satisfies Hint);
    void this.#open.get(name)?.refresh();
    this.host.statusChanged();
  }

  /** Makes the queue's next request, or makes it again. False where nothing is queued, or nothing can be sent. */
  async #push(name: string): Promise<boolean> {
    const read = await this.store.run("readonly", ["streams", "queue"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      const items: Queued[] = [];
      let size = 0;
      if (s && !s.gone) {
        await tx.walk<Queued>("queue", rows(name, s.acked), (q) => {
          items.push(q);
          size += q.size;
          return items.length < Math.max(1, s.producer.batch) || (s.producer.batch === 0 && items.length < maxBatch && size < maxBytes);
        });
      }
      return { s, items };
    });
    const { s, items } = read;
    if (!s || items.length === 0) return false;
    const p = decide(s.producer, items.map((q) => q.size));
    if (p !== s.producer && !(await this.#move(name, s.producer, (now) => ({ ...now, producer: p })))) return true;
    const batch = items.slice(0, p.batch);
    const { headers, body } = request(s, p, batch);
    const answer = await this.transport.append(name, p, headers, body);
    let outcome = answered(p, answer, this.host.newID());
    if (!outcome) throw new Failure(answer.code || "bad-answer", answer.message);
    if (outcome.stop === "absent" && s.exists) outcome = { ...outcome, stop: "gone" };
    if (outcome.stop === "absent") {
      const made = await this.transport.create(name, s.type || "application/json");
      if (made.status >= 400) throw new Failure(made.code, made.message);
      await this.store.run("readwrite", ["streams"], async (tx) => {
        const now = await tx.get<Stored>("streams", name);
        if (now) tx.put("streams", { ...now, exists: true });
      });
      return true;
    }
    if (outcome.stop === "exists") throw new Failure(outcome.code, outcome.message);
    if (outcome.stop === "gone") {
      await this.#gone(s);
      return false;
    }
    await this.#settle(name, p, batch, outcome, answer.head);
    return true;
  }

  /** Writes what came of an answer, unless another context has done so. */
  async #settle(name: string, p: Producer, batch: readonly Queued[], o: Outcome, head: number): Promise<void> {
    const refused = o.refused.map((i) => batch[i]!);
    const stream = this.#open.get(name);
    const acked = head > 0 ? batch.slice(0, o.done).map((q, i) => [q.id, head - (o.done - 1 - i)] as const) : [];
    for (const [id, index] of acked) stream?.acked(id, index);
    if (acked.length > 0) this.host.tell({ data: "acked", name, acked } satisfies Hint); // the others hear of it before they look
    const values = await Promise.all(refused.map((q) => copied(q.value)));
    const won = await this.#move(name, p, (now, tx) => {
      for (const [i, q] of refused.entries()) {
        tx.put("rejected", { ...q, value: values[i]!, code: o.code, message: o.message } satisfies Refused);
        tx.delete("queue", [name, q.n]);
      }
      return { ...now, producer: o.producer, acked: o.done > 0 ? batch[o.done - 1]!.n : now.acked, exists: true };
    });
    if (!won) return;
    if (o.fenced) this.host.log("warn", "fenced", `another copy of this database writes to the data stream ${name}: this one goes on under a name of its own`);
    if (batch[0] && o.producer.sent > 0) {
      const progress = { id: batch[0].id, sent: o.producer.sent, size: batch[0].size };
      stream?.progress(progress.id, progress.sent, progress.size);
      this.host.tell({ data: "progress", name, progress } satisfies Hint);
    }
    if (o.done > 0) this.host.poke();
    this.#changed(name, true);
  }

  /** Changes a stream in one transaction that finds its producer as it was; false where it does not. */
  #move(name: string, was: Producer, to: (now: Stored, tx: Tx) => Stored): Promise<boolean> {
    return this.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      const now = await tx.get<Stored>("streams", name);
      if (!now || !sameRequest(now.producer, was)) return false;
      tx.put("streams", to(now, tx));
      return true;
    });
  }

  /** Fetches a page. False where nothing more is there. */
  async #pull(name: string): Promise<boolean> {
    const s = await this.#stored(name);
    if (s.gone) return false;
    const { keep } = s;
    const query = s.offset ? `offset=${s.offset}&` : keep === "all" ? "" : `last=${keep.entries ?? 1000}&`;
    const page = await this.transport.read(name, query);
    if ("status" in page) {
      if (page.code === "not-found" && !s.exists) return false; // nobody has written yet
      // Another log stands under the name: the offset is not one of its own.
      const other = page.code === "malformed" && page.pointer === "/offset";
      if (!other && page.code !== "not-found" && page.code !== "gone") throw new Failure(page.code, page.message);
      await this.#gone(s);
      return false;
    }
    const frames = unpack(page.bytes);
    const same = frames.length === 0 && s.offset === page.next && s.closed === page.closed && s.exists;
    if (!same || s.acked >= 0) await keepPage(this.store, s, page, frames, await this.#large(name, s, page, frames, keep));
    return !page.upToDate;
  }

  /** The server has the stream no more. */
  async #gone(s: Stored): Promise<void> {
    await this.store.run("readwrite", ["streams"], async (tx) => {
      const now = await tx.get<Stored>("streams", s.name);
      if (now && now.life === s.life) tx.put("streams", { ...now, gone: true });
    });
  }

  /** The bytes of large entries, from the queue where they are of this context's own, else from the server. */
  async #large(name: string, s: Stored, page: Page, frames: readonly Frame[], keep: Keep): Promise<Map<string, Blob>> {
    const out = new Map<string, Blob>();
    let before = page.from;
    for (const f of frames) {
      if (f.body === null && (keep === "all" || f.size <= (keep.bytes ?? Infinity))) {
        const own = f.id === "" ? [] : await this.store.run("readonly", ["queue"], (tx) => tx.byID<Queued>("queue", f.id));
        const mine = own.find((q) => q.stream === s.name)?.value;
        const kept = mine && (await blobOf(mine).arrayBuffer().catch(() => null)); // a file may be gone
        out.set(f.offset, kept ? new Blob([kept]) : await this.transport.bytes(name, `offset=${before}`, f.size));
      }
      before = f.offset;
    }
    return out;
  }

  // ---- wake-ups from the server

  /** Says what the leader hears of: all streams that contexts have open. */
  #listen(): void {
    if (!this.#leader || this.#frozen || this.#closed) return;
    const names = [...this.#wanted.keys()].filter((name) => this.work(name).state === "live").sort();
    this.host.listenFor(names);
  }

  /**
   * The end of a stream is there now, "" where it is not on the server: as the connection says when it begins, and whenever that changes.
   * Without a name there is no connection: what is shown as live may not be.
   */
  async moved(name: string, offset: string): Promise<void> {
    if (name === "") {
      for (const [name, w] of this.#work) if (w.state === "live") this.wake(name, "deaf");
      return;
    }
    const s = await this.#stored(name).catch(() => null);
    if (s && (s.offset !== offset || s.gone)) this.wake(name, "push");
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
    this.#changed(name, true);
    this.wake(name, "write");
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
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const f of this.#unlisten) f();
    this.presence.hide();
    this.presence.forget();
    for (const stream of [...this.#open.values()]) stream.end(error);
    this.transport.close();
    await this.#running?.catch(() => {});
    await this.store.close();
  }
}

/** A stream of which nothing is known. */
function fresh(name: string): Stored {
  const born = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  return { name, born, life: 0, keep: "all", type: "", producer: newProducer(born), next: 0, acked: -1, from: "", offset: "", head: 0, block: 0, kept: 0, bytes: 0, exists: false, gone: false, closed: false };
}

function failureOf(e: unknown): Failure {
  const { code = "internal", message } = e as { code?: string; message: string };
  return new Failure(code, message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message, 0, e);
}
