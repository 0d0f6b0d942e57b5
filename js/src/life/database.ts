import { Boot } from "../boot/boot.js";
import type { Lack } from "../boot/early.js";
import { ClosedError, errorOf, RestartedError, SyncError, UnsentError, type Problem } from "../values/errors.js";
import { Events } from "../values/events.js";
import { append } from "../../../idbstore/append.js";
import { frameFactory } from "../program/frame.js";
import type { Health } from "../values/states.js";
import { DataStreams } from "./datastreams.js";
import { deleted, deleteUnread } from "./deletion.js";
import { newID } from "../values/ids.js";
import { Keeper } from "./keeper.js";
import { Leader } from "../contexts/leader.js";
import { logTo } from "../values/log.js";
import { pulse } from "../contexts/pulse.js";
import type { DataStreamOptions } from "../data/options.js";
import type { DataStream } from "../data/stream.js";
import { load, type Runtime, type WakeUp } from "../program/runtime.js";
import { checkName, checkStreamOptions, maxTimer, sharedName, type LogEntry, type OpenOptions, type StreamOptions } from "../values/options.js";
import type { DatabaseEvents, Status } from "../values/states.js";
import { Peers } from "../contexts/peers.js";
import { reopen } from "./reopening.js";
import { Starting } from "../program/starting.js";
import { relay, Stream } from "../streams/stream.js";
import { Updates, version } from "./update.js";

const maxRestarts = 3; // in a minute: what stops again and again would only do harm

const hearsay = 500; // milliseconds that other contexts have to say that they have deleted a database that is gone
const destroyedElsewhere = () => new ClosedError({ code: "closed", message: "closed: the database was destroyed in another tab" });

const closed = () => new ClosedError({ code: "closed", message: "the database is closed" });

export class Database {
  readonly name: string;
  readonly user: string | null;
  #runtime!: Runtime;
  readonly #options: OpenOptions;
  readonly #streams = new Map<string, Promise<Stream>>();
  readonly #opened = new Map<string, Stream>();
  readonly #leaving = new Map<string, Stream>();
  readonly #events: Events<DatabaseEvents>;
  readonly #shared: string;
  readonly #url: string;
  #handle = 0;
  #closed: SyncError | null = null;
  #closing: Promise<void> | null = null;
  #ended = false;
  readonly #peers = new Peers();
  #leftCore = false; // the core was told to close
  #destroying = false; // another context is about to destroy the database
  #candidate = true;
  #leader!: Leader;
  #telling = false;
  /** @internal */
  readonly dataStreams: DataStreams;
  // the runtime, when it stops
  #down: SyncError | null = null; // while another one is started
  #ready: Promise<void> = Promise.resolve();
  #boot: Boot | null = null; // what is read before there is a program
  #starting: Starting | null = null;
  readonly #lacks = new Map<string, Lack>(); // of streams that could not be read so
  #restarts: number[] = []; // when
  #stopPulse: () => void = () => {};
  readonly #keeper: Keeper;
  readonly #updates = new Updates((news) => this.#events.emit("update", news));
  readonly #log: (entry: LogEntry) => void;

  /** @internal */
  constructor(options: OpenOptions, url: string) {
    this.#options = options;
    this.#log = logTo(options.log);
    this.#url = url;
    this.name = options.name;
    this.user = options.user ?? null;
    this.#shared = sharedName(options);
    this.#keeper = new Keeper(this.#shared, options.persist !== false, {
      unsent: () => (this.#closed || this.#down ? null : Object.entries(this.status.streams).map(([name, s]) => [name, s.pending])),
      changed: (level, code, message) => {
        this.#log({ level, code, message });
        const tell = async () => this.#ended || this.#events.emit("health", await this.#keeper.health());
        setTimeout(() => void tell()); // when open has resolved
      },
    });
    this.dataStreams = new DataStreams({
      options,
      url,
      shared: this.#shared,
      durable: () => this.durable,
      leads: () => this.#leader.leads,
      closed: () => this.#closed,
      newID,
      log: (level, code, message, cause) => this.#log({ level, code, message, cause }),
      tell: (message) => this.#peers.tell(message),
      changed: () => {
        this.wrote();
        this.statusChanged();
      },
      entryDurable: (stream, entry) => this.#closed || this.#down || this.#runtime.host.entryDurable(this.#handle, stream, entry),
      listenFor: (names) => this.#closed || this.#down || this.#runtime.host.listenFor(this.#handle, names),
    });
    this.#events = new Events(["status", "health", "update"], (e) => this.warn("listener", "a listener of the database threw", e));
  }

  /** @internal */
  async begin(candidate: boolean): Promise<void> {
    const lead = { lead: (yes: boolean) => this.#led(yes), freeze: (yes: boolean) => this.#froze(yes) };
    const shared = typeof BroadcastChannel !== "undefined" && !!globalThis.navigator?.locks;
    this.#leader = new Leader(this.#shared, !shared, candidate, lead);
    this.#candidate = candidate;
    if (candidate) this.#boot = await Boot.open(this.#shared);
    if (this.#boot) return this.#begin(this.#boot);
    await this.#attach(await load(this.#options.wasm));
    this.#listen();
    this.#begun();
  }

  /** The first program is there. */
  #begun(): void {
    if (!this.durable) this.#alone();
    this.#leader.begin();
    this.#stopPulse = pulse(
      () => !this.#down && this.#runtime.host.wake(this.#handle, "the device goes on after a sleep"),
      () => this.#beat(),
    );
    if (this.#candidate) {
      this.#leader.on(globalThis.document, "visibilitychange", () => document.visibilityState === "hidden" && this.#keeper.look());
      this.wrote(); // what was left the last time
    }
  }

  /** Begins with what is stored: the first program is loaded when the rows are there that are asked for at once. */
  #begin(boot: Boot): void {
    this.#listen();
    const why = (this.#down = new SyncError({ code: "starting", message: "starting: the runtime is not there yet", retryable: true }));
    const starting = (this.#starting = new Starting({
      quiet: () => boot.quiet(),
      attach: () => this.#load(),
      ended: () => this.#ended,
      failed: (e) => {
        this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
        this.statusChanged();
      },
      overdue: (e) => this.#opened.forEach((stream) => stream.overdue(e)),
    }));
    this.#ready = starting.ready;
    void starting.run(() => this.#goOn(why, () => this.#begun()), (e) => this.#fail(e)).then(() => {
      boot.close();
      this.#boot = null;
      if (!this.#down) this.#ready = Promise.resolve(); // also where it was overdue
    });
  }

  /** Resolves when there is a program, however often it is started again. */
  async #up(): Promise<void> {
    let ready: Promise<void>;
    do {
      if (this.#ended) throw this.#closed!;
      await (ready = this.#ready);
    } while (ready !== this.#ready);
  }

  async #load(): Promise<void> {
    const runtime = await load(this.#options.wasm);
    if (!this.#ended) await this.#attach(runtime);
  }

  /** Opens the database in a program. */
  #attach(runtime: Runtime): Promise<void> {
    const o = this.#options;
    const timer = (ms = 0) => Math.min(ms, maxTimer);
    const options = {
      name: o.name, user: o.user ?? "", url: this.#url, strict: o.durability === "strict", retry: timer(o.timers?.retry), idle: timer(o.timers?.idle),
      elect: !this.#leader.leads || this.#leader.candidate,
      memory: this.#candidate && this.#url !== "",
    };
    const hooks = {
      tell: (message: object) => this.#peers.tell(message),
      slot: options.elect ? this.#leader.slot : null,
      await: this.dataStreams.await,
      append, frame: frameFactory,
      steal: () => this.#leader.steal(),
      lost: (unsent: number) => this.#lost(unsent),
      moved: (name: string, offset: string) => void this.dataStreams.now?.moved(name, offset),
    };
    return new Promise((resolve, reject) => {
      runtime.alive();
      runtime.onDeath.add(reject);
      runtime.host.open(options, o.auth, hooks, (problem, handle, life, why) => {
        runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        this.#runtime = runtime;
        this.#handle = handle;
        this.#leftCore = false;
        if (this.#ended) return resolve();
        runtime.onDeath.add(this.#dead);
        runtime.users.add(this.#busy);
        this.#keeper.opened(life, why);
        resolve();
      });
    });
  }

  // ---- when the runtime stops

  readonly #busy = () => !this.durable || [...this.#opened.values()].some((s) => s.busy); // what is in its memory only would go with it

  readonly #dead = (e: SyncError): void => {
    if (this.#ended) return;
    this.#down = e;
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((at) => at > now - 60_000), now];
    this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
    if (!this.durable) this.#keeper.lost([...this.#opened.values()].reduce((n, s) => n + s.unsent, 0)); // what was in its memory only
    for (const stream of [...this.#opened.values()]) stream.detach(e);
    this.#leader.releaseSlots();
    if (this.#closed) return this.#end(this.#closed); // it was about to
    if (this.#restarts.length > maxRestarts) return this.#end(new SyncError({ code: "internal", message: `internal: the runtime stops again and again: ${e.message}` }, e));
    this.#ready = this.#restart(e);
  };

  /** Starts another program, out of IndexedDB, and goes on there. */
  #restart(why: SyncError): Promise<void> {
    return this.#goOn(why, async () => {
      await this.#load();
      if (!this.#ended && !this.durable) this.#alone();
    });
  }

  /** Goes on in a program that begin has loaded, or takes up. */
  async #goOn(why: SyncError, begin: () => void | Promise<void>): Promise<void> {
    try {
      await begin();
      if (this.#ended) return this.#leaveCore();
      await this.#resume(why);
    } catch (e) {
      if (this.#down !== why) return; // it has died again, and is being started again
      if (e instanceof RestartedError) this.#dead(e);
      else this.#fail(e instanceof SyncError ? e : new SyncError({ code: "internal", message: `internal: the runtime cannot be started again: ${String(e)}` }, e));
    }
  }

  /** Ends the database since it cannot go on. */
  #fail(e: SyncError): void {
    if (!this.#ended) this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
    this.#end(e);
  }

  /** @internal Why the first program has not come in time. */
  get overdue(): SyncError | null {
    return this.#starting?.overdue ?? null;
  }

  /** Opens in a program what is open here. */
  async #resume(why: SyncError): Promise<void> {
    const { leads, frozen } = this.#leader;
    this.#place();
    const host = { ended: () => this.#ended, failed: (e: LogEntry) => this.#log(e) };
    const there = new Set<Stream>(), calls: (() => void)[] = [];
    for (let left = [...this.#opened.values()]; left.length > 0; left = [...this.#opened.values()].filter((s) => !there.has(s))) {
      for (const stream of left) there.add(stream); // more may come meanwhile
      calls.push(...(await Promise.all(left.map((s) => reopen(this.#runtime, this.#handle, s, host)))).flat());
    }
    if (this.#ended) return this.#leaveCore();
    if (this.#down !== why) return;
    this.#down = null;
    if (this.#leader.leads !== leads || this.#leader.frozen !== frozen) this.#place();
    for (const call of calls) call();
    this.statusChanged();
  }

  /** Tells the core whether the page is frozen, and whether it leads. */
  #place(): void {
    const { host } = this.#runtime;
    if (this.#leader.frozen) host.freeze(this.#handle, true);
    else if (!this.#down) host.freeze(this.#handle, false); // it was, when the program was started
    host.lead(this.#handle, this.#leader.leads);
    host.listenFor(this.#handle, this.dataStreams.topics);
  }

  /** A program whose memory has grown beyond what it needs is replaced while nothing is under way. */
  #beat(): void {
    const runtime = this.#runtime;
    if (this.#down || this.#closed || !runtime.memory.wasted || [...runtime.users].some((busy) => busy())) return;
    runtime.end(new RestartedError({ code: "restarted", message: `restarted: the memory had grown to ${runtime.bytes >> 20} MiB`, retryable: true }));
  }

  // ---- what the browser keeps, or does not

  /** @internal Whether what is committed is kept by this browser. */
  get durable(): boolean {
    return this.#keeper.durable;
  }

  /** @internal */
  wrote(): void {
    this.#keeper.wrote();
  }

  /** The database is gone while it is open: the core goes on in memory. Where somebody has deleted it on purpose, that is heard within a moment. */
  #lost(unsent: number): void {
    for (const s of this.dataStreams.now?.streams.values() ?? []) unsent += s.status.pending;
    this.#keeper.taken();
    this.#alone();
    const judge = () => {
      if (this.#destroying || this.#keeper.destroyed) this.#end(destroyedElsewhere());
      else if (!this.#ended) this.#keeper.lost(unsent);
    };
    if (this.#destroying) queueMicrotask(judge);
    else setTimeout(judge, hearsay);
  }

  /** What is in the memory of this context nobody else sees: it runs the loop for itself. */
  #alone(): void {
    this.#peers.isolate();
    this.#leader.alone();
    void this.dataStreams.now?.taken();
  }

  async health(): Promise<Health> {
    await this.#up();
    this.#check();
    return this.#keeper.health();
  }

  /** @internal Something in the local database is newer than this. */
  outdated(): void {
    this.#updates.add("database");
  }

  // ---- other contexts

  #led(yes: boolean): void {
    if (!this.#down) this.#runtime.host.lead(this.#handle, yes);
    this.dataStreams.lead(yes);
    this.statusChanged();
  }

  #froze(yes: boolean): void {
    if (!this.#down) this.#runtime.host.freeze(this.#handle, yes);
    this.dataStreams.now?.freeze(yes);
  }

  #listen(): void {
    const open = () => !this.#ended && !this.#closed;
    this.#peers.listen(this.#shared, version, {
      destroyed: () => this.#end(destroyedElsewhere()),
      destroying: (yes) => (this.#destroying = yes),
      core: (message) => open() && this.#runtime?.live && this.#runtime.host.hear(this.#handle, message), // also while streams are opened
      data: (message) => open() && this.dataStreams.hear(message),
      met: (other) => open() && this.#updates.met(other) && this.#peers.tell({ version }),
      trace: () => (open() && !this.#down ? { trace: this.trace(), leader: this.#leader.leads, tab: globalThis.document?.title ?? "worker" } : null),
    });
  }

  stream(name: string, options: StreamOptions = {}): Promise<Stream> {
    const boot = this.#down && !this.#ended ? this.#boot : null;
    if (this.#down && !this.#ended && !boot) return this.#up().then(() => this.stream(name, options));
    let stream = this.#streams.get(name);
    if (!stream) {
      // One that is being closed is opened anew when it has ended: two of a name would not know of one another.
      const closing = this.#leaving.get(name);
      const open = () => (boot && this.#down ? this.#show(boot, name, options) : this.#open(name, options));
      stream = closing ? closing.close().then(open) : open();
      this.#streams.set(name, stream);
      stream.catch(() => this.#streams.delete(name));
      return stream;
    }
    return Object.keys(options).length === 0 ? stream : stream.then((open) => open.again(options));
  }

  /** Gives a stream as it is stored, or waits for the program where that cannot be told. */
  async #show(boot: Boot, name: string, options: StreamOptions): Promise<Stream> {
    checkName(name);
    checkStreamOptions(options);
    const early = await boot.read(name);
    if (early === 1 || early === 2) this.#lacks.set(name, early);
    else if (early !== 0 && this.#down && !this.#closed && !this.#leaving.has(name) && (options.conflictFree ?? early.conflictFree) === early.conflictFree) {
      const stream = new Stream(this, name, early.conflictFree, options, early);
      this.#opened.set(name, stream);
      if (this.overdue) stream.overdue(this.overdue);
      this.statusChanged();
      return stream;
    }
    await this.#up();
    return this.#open(name, options);
  }

  #open(name: string, options: StreamOptions): Promise<Stream> {
    return new Promise((resolve, reject) => {
      this.#check();
      checkName(name);
      checkStreamOptions(options);
      let stream: Stream | undefined;
      const observer = relay(() => stream?.observer);
      this.#runtime.onDeath.add(reject);
      const read = this.#runtime.memory.reading();
      this.#runtime.host.stream(this.#handle, name, options.conflictFree ?? null, options.conflicts ?? 0, observer, (problem, handle, client, conflictFree) => {
        this.#runtime.onDeath.delete(reject);
        read();
        if (problem) return reject(errorOf(problem));
        stream = new Stream(this, name, conflictFree, options);
        stream.attach(this.#runtime, handle, client, this.#lacks.get(name));
        this.#lacks.delete(name);
        this.#opened.set(name, stream);
        resolve(stream);
        this.statusChanged();
      });
    });
  }

  async data(name: string, options: DataStreamOptions = {}): Promise<DataStream> {
    await this.#up();
    this.#check();
    const data = await this.dataStreams.load();
    this.#check();
    const stream = await data.open(name, options);
    this.statusChanged();
    return stream;
  }

  /** @internal The stream is being closed: it is given to nobody any more. */
  leaving(stream: Stream): void {
    if (this.#opened.get(stream.name) !== stream) return;
    this.#streams.delete(stream.name);
    this.#leaving.set(stream.name, stream);
  }

  /** @internal The stream has ended. */
  forget(stream: Stream): void {
    if (this.#opened.get(stream.name) !== stream) return;
    this.#opened.delete(stream.name);
    if (this.#leaving.get(stream.name) === stream) this.#leaving.delete(stream.name);
    else this.#streams.delete(stream.name);
    this.statusChanged();
  }

  async sync(): Promise<void> {
    await this.#up();
    await this.#ask((done) => this.#runtime.host.sync(this.#handle, done));
    await this.dataStreams.now?.sync();
  }

  /** @internal The streams that have a local log. */
  names(): Promise<string[]> {
    return new Promise((resolve, reject) => this.#runtime.host.streams(this.#handle, (problem, names) => (problem ? reject(errorOf(problem)) : resolve(names))));
  }

  #ask(call: (done: (problem: Problem | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check();
      this.#runtime.onDeath.add(reject);
      call((problem) => {
        this.#runtime.onDeath.delete(reject);
        if (problem) reject(errorOf(problem));
        else resolve();
      });
    });
  }

  get status(): Status {
    const streams: Status["streams"] = {};
    for (const [name, stream] of this.#opened) streams[name] = stream.status;
    for (const [name, stream] of this.dataStreams.now?.streams ?? []) streams[`data:${name}`] = stream.status;
    return { online: Object.values(streams).some((s) => s.state === "live"), leader: this.#leader.leads, user: this.user, streams };
  }

  /** The last turns that the loop made in this context, oldest first. */
  trace(): readonly WakeUp[] {
    if (this.#boot && this.#down) return [];
    this.#check();
    const turns: WakeUp[] = [];
    this.#runtime.host.trace(this.#handle, (turn) => turns.push(turn));
    return turns;
  }

  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void): () => void {
    return this.#events.on(event, fn, event === "update" ? (this.#updates.known as DatabaseEvents[E] | undefined) : undefined);
  }

  /** @internal */
  get watched(): boolean {
    return this.#events.has("status");
  }

  /** @internal */
  statusChanged(): void {
    if (this.#telling || !this.watched) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (!this.#closed) this.#events.emit("status", this.status);
    });
  }

  close(): Promise<void> {
    if (this.#closed) return this.#closing ?? Promise.resolve();
    if (this.#down) {
      const early = this.#boot && [...this.#opened.values()].some((s) => s.unsent > 0);
      if (early && !this.overdue) return (this.#closing ??= this.#up().then(() => ((this.#closing = null), this.close()), () => this.#end(closed())));
      this.#end(closed());
      return Promise.resolve();
    }
    this.#closing = this.#ask((done) => {
      this.#closed = closed(); // for every call from now on
      this.#leftCore = true;
      this.#runtime.host.close(this.#handle, done);
    }).finally(() => this.#end(this.#closed!));
    return this.#closing;
  }

  async destroy(options: { force?: boolean } = {}): Promise<void> {
    await this.#up();
    this.#check();
    const { unread } = this.#keeper;
    if (unread && !options.force) throw new SyncError({ code: "storage", message: "storage: the local database cannot be read; what it holds unsent is not known", retryable: true });
    const data = await this.dataStreams.any().catch((e: unknown) => deleteUnread(this.#shared, e, options.force === true));
    if (data) {
      const pending = await data.leave(options.force === true);
      if (pending > 0) throw new UnsentError({ code: "unsent", pending, message: `unsent: ${pending} entries of data streams are not on the server` });
    }
    this.#destroys(true); // else the others would take it for lost
    try {
      await this.#ask((done) => {
        this.#leftCore = true;
        this.#runtime.host.destroy(this.#handle, options.force === true, (problem) => {
          if (problem) this.#leftCore = false;
          else {
            this.#peers.shout({ destroyed: true });
            this.#end(new ClosedError({ code: "closed", message: "the database was destroyed" }));
          }
          done(problem);
        });
      });
      if (!this.durable) await deleted(this.#shared).catch((e: unknown) => unread && Promise.reject(e as Error));
    } catch (e) {
      this.#destroys(false);
      await data?.stay().catch(() => {});
      throw e;
    }
    await data?.store.destroy();
  }

  #destroys(yes: boolean): void {
    this.#keeper.destroying(yes);
    this.#peers.shout({ destroying: yes });
  }

  #end(error: SyncError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closed = error;
    this.#starting?.giveUp(error);
    this.#peers.close();
    this.#leaveCore();
    this.#leader?.end();
    this.#stopPulse();
    this.#keeper.end();
    this.#boot?.close();
    this.#runtime?.onDeath.delete(this.#dead);
    this.#runtime?.users.delete(this.#busy);
    for (const stream of [...this.#opened.values()]) stream.end(error);
    void this.dataStreams.now?.close(error).catch(() => {});
  }

  /** Lets the core go, where nobody has told it to. */
  #leaveCore(): void {
    if (this.#leftCore) return;
    try {
      this.#runtime.alive();
      this.#runtime.host.close(this.#handle, () => {});
      this.#leftCore = true;
    } catch {
      // it is dead
    }
  }

  #check(): void {
    const why = this.#closed ?? this.#down;
    if (why) throw why;
    this.#runtime.alive();
  }

  /** @internal Rows that were stored are not those of the log; they are being replaced. */
  differed(stream: string): void {
    this.#keeper.differed(stream);
  }

  /** @internal */
  warn(code: string, message: string, cause?: unknown): void {
    this.#log({ level: "warn", code, message, cause });
  }
}
