// A database as apps have it: its life, in one program after another; its streams; what its contexts and its browser tell of it.
import { append } from "../../../idbstore/append.js";
import { DataStreams } from "./datastreams.js";
import { deleted, deleteUnread } from "./deletion.js";
import { Keeper } from "./keeper.js";
import { reopen } from "./reopening.js";
import { Seat } from "./seat.js";
import { Updates, version } from "./update.js";
import { Users } from "../values/users.js";
import { Boot } from "../boot/boot.js";
import type { Lack } from "../boot/early.js";
import { Leader } from "../contexts/leader.js";
import { Peers } from "../contexts/peers.js";
import { pulse } from "../contexts/pulse.js";
import type { DataStreamOptions } from "../data/options.js";
import type { DataStream } from "../data/stream.js";
import { frameFactory } from "../program/frame.js";
import { load, spare, type Runtime, type RuntimeUser, type WakeUp } from "../program/runtime.js";
import { Starting } from "../program/starting.js";
import type { Owner } from "../streams/owner.js";
import { relay, Stream } from "../streams/stream.js";
import { ClosedError, errorOf, RestartedError, SyncError, UnsentError, type Problem } from "../values/errors.js";
import { Events } from "../values/events.js";
import { newID } from "../values/ids.js";
import { Life } from "../values/life.js";
import { LiveValue, Signal } from "../values/live.js";
import { logTo } from "../values/log.js";
import { checkName, checkStreamOptions, maxTimer, sharedName, type LogEntry, type OpenOptions, type StreamOptions } from "../values/options.js";
import type { DatabaseEvents, Health, Status } from "../values/states.js";

const maxRestarts = 3; // in a minute: what stops again and again would only do harm

const hearsay = 500; // milliseconds that other contexts have to say that they have deleted a database that is gone
const destroyedElsewhere = () => new ClosedError({ code: "closed", message: "closed: the database was destroyed in another tab" });
const closed = () => new ClosedError({ code: "closed", message: "the database is closed" });
const starting = new SyncError({ code: "starting", message: "starting: the runtime is not there yet", retryable: true });
const broken = (message: string, cause: unknown) => new SyncError({ code: "internal", message: `internal: ${message}` }, cause);

/** Who has it open. */
interface Holders {
  /** One lets go of it; false where others have it open still. */
  letGo(): boolean;
  /** It has ended. */
  forget(): void;
}

export class Database implements Owner, RuntimeUser {
  readonly name: string;
  readonly user: string | null;
  /** @internal */
  readonly life = new Life(starting);
  /** @internal */
  readonly dataStreams: DataStreams;
  /** The status, and what this browser gives (null while that is not known), as values that follow them. */
  readonly live: { readonly status: LiveValue<Status>; readonly health: LiveValue<Health | null> };
  readonly #options: OpenOptions & { url: string; shared: string; candidate: boolean };
  readonly #users: Holders;
  readonly #streams = new Users<Stream>();
  readonly #lacks = new Map<string, Lack>(); // of streams that could not be read without a program
  readonly #events: Events<DatabaseEvents>;
  readonly #signals: { status: Signal<Status>; health: Signal<Health | null> };
  readonly #peers = new Peers();
  readonly #keeper: Keeper;
  readonly #updates = new Updates((news) => this.#events.emit("update", news));
  readonly #log: (entry: LogEntry) => void;
  #leader!: Leader;
  #seat: Seat | null = null; // in the program of now
  #boot: Boot | null = null; // what is read before there is a program
  #starting: Starting | null = null; // the first one
  #restarts: number[] = []; // when
  #closing: Promise<void> | null = null;
  #destroying = false; // another context is about to destroy the database
  #status: Status | null = null;
  #health: Health | null = null;
  #telling = false;
  #stopPulse: () => void = () => {};

  /** @internal */
  constructor(options: OpenOptions, url: string, candidate: boolean, users: Holders) {
    this.#options = { ...options, url, shared: sharedName(options), candidate };
    this.#users = users;
    this.#log = logTo(options.log);
    this.name = options.name;
    this.user = options.user ?? null;
    this.#keeper = new Keeper(this.#options.shared, options.persist !== false, {
      unsent: () => (this.life.state === "open" ? this.#unsent() : null),
      changed: (level, code, message) => {
        this.#log({ level, code, message });
        setTimeout(() => void this.#lookAtHealth(true)); // when open has resolved
      },
    });
    this.dataStreams = new DataStreams({
      options,
      url,
      shared: this.#options.shared,
      durable: () => this.durable,
      leads: () => this.#leader.leads,
      closed: () => (this.life.lives ? null : this.life.why),
      newID,
      log: (level, code, message, cause) => this.#log({ level, code, message, cause }),
      tell: (message) => this.#peers.tell(message),
      changed: () => {
        this.wrote();
        this.statusChanged();
      },
      entryDurable: (stream, entry) => this.life.state === "open" && this.#seat!.host.entryDurable(this.#seat!.handle, stream, entry),
      listenFor: (names) => this.life.state === "open" && this.#seat!.host.listenFor(this.#seat!.handle, names),
    });
    const thrown = (e: unknown) => this.warn("listener", "a listener of the database threw", e);
    this.#events = new Events(["status", "health", "update", "closed"], thrown);
    this.#signals = { status: new Signal(() => this.status, thrown), health: new Signal(() => this.#health, thrown) };
    this.live = { status: new LiveValue(this.#signals.status), health: new LiveValue(this.#signals.health) };
  }

  /** @internal Of the server's /v1; "" for none. */
  get url(): string {
    return this.#options.url;
  }

  /** Resolves when it has ended, with the reason. */
  get closed(): Promise<SyncError> {
    return this.life.closed;
  }

  // ---- its life

  /** @internal */
  async begin(): Promise<void> {
    const { shared, candidate } = this.#options;
    const together = typeof BroadcastChannel !== "undefined" && !!globalThis.navigator?.locks;
    this.#leader = new Leader(shared, !together, candidate, { lead: (yes) => this.#led(yes), freeze: (yes) => this.#froze(yes) });
    if (candidate) this.#boot = await Boot.open(shared);
    if (this.#boot) return this.#beginWith(this.#boot);
    await this.#attach(await load(this.#options.wasm));
    this.#listen();
    this.life.turn("open");
    this.#begun();
  }

  /** The first program is there. */
  #begun(): void {
    if (!this.durable) this.#alone();
    this.#leader.begin();
    const slept = () => this.life.state === "open" && this.#seat!.host.wake(this.#seat!.handle, "the device goes on after a sleep");
    this.#stopPulse = pulse(slept, () => this.#beat());
    if (!this.#options.candidate) return;
    this.#leader.on(globalThis.document, "visibilitychange", () => document.visibilityState === "hidden" && this.#keeper.look());
    this.wrote(); // what was left the last time
    void this.#lookAtHealth(false);
  }

  /** Begins with what is stored: the first program is loaded when the rows are there that are asked for at once. */
  #beginWith(boot: Boot): void {
    this.#listen();
    const first = (this.#starting = new Starting({
      quiet: () => boot.quiet(),
      attach: () => this.#load(),
      ended: () => this.life.ended,
      failed: (e) => {
        this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
        this.statusChanged();
      },
      overdue: (e) => this.#open.forEach((stream) => stream.overdue(e)),
    }));
    void first.run(() => this.#goOn(() => this.#begun()), (e) => this.#fail(e)).then(() => {
      boot.close();
      this.#boot = this.#starting = null;
    });
  }

  /** Resolves when there is a program, however often it is started again; rejects where the first one does not come in time. */
  async #up(): Promise<void> {
    await this.#starting?.ready;
    await this.life.up();
  }

  async #load(): Promise<void> {
    const runtime = await load(this.#options.wasm);
    if (!this.life.ended) await this.#attach(runtime);
  }

  /** Opens the database in a program. */
  #attach(runtime: Runtime): Promise<void> {
    const o = this.#options;
    const timer = (ms = 0) => Math.min(ms, maxTimer);
    const options = {
      name: o.name, user: o.user ?? "", url: o.url, strict: o.durability === "strict", retry: timer(o.timers?.retry), idle: timer(o.timers?.idle),
      elect: !this.#leader.leads || this.#leader.candidate,
      memory: o.candidate && o.url !== "",
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
        this.#seat = new Seat(runtime, handle);
        if (this.life.ended) return resolve();
        runtime.onDeath.add(this.#dead);
        runtime.users.add(this);
        this.#keeper.opened(life, why);
        resolve();
      });
    });
  }

  /** @internal */
  get busy(): boolean {
    return !this.durable || this.life.state !== "open" || this.#open.some((s) => s.busy); // what is in its memory only would go with it
  }

  /** @internal */
  take(): void {
    for (const stream of this.#open) stream.rows.fresh();
  }

  readonly #dead = (e: SyncError): void => {
    if (this.life.ended) return;
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((at) => at > now - 60_000), now];
    this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
    if (!this.durable) this.#keeper.lost(this.#open.reduce((n, s) => n + s.unsent, 0)); // what was in its memory only
    if (!this.life.lives) return this.#end(this.life.why!); // it was about to
    this.life.turn("restarting", e);
    for (const stream of this.#open) stream.detach(e);
    this.#leader.releaseSlots();
    if (this.#restarts.length > maxRestarts) return this.#end(broken(`the runtime stops again and again: ${e.message}`, e));
    void this.#goOn(async () => {
      await new Promise((resolve) => setTimeout(resolve)); // it may have died of an exhausted stack
      await this.#load();
      if (!this.life.ended && !this.durable) this.#alone();
    });
  };

  /** Goes on in a program that begin has loaded, or takes up. */
  async #goOn(begin: () => void | Promise<void>): Promise<void> {
    const { why } = this.life;
    try {
      await begin();
      if (!this.life.ended) await this.#resume(why);
      if (this.life.ended) this.#seat?.leave();
    } catch (e) {
      if (this.life.why !== why || this.life.ended) return; // it has died again, and is being started again
      if (e instanceof RestartedError) this.#dead(e);
      else this.#fail(e instanceof SyncError ? e : broken(`the runtime cannot be started again: ${String(e)}`, e));
    }
  }

  /** Ends the database since it cannot go on. */
  #fail(e: SyncError): void {
    if (!this.life.ended) this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
    this.#end(e);
  }

  /** @internal Why the first program has not come in time. */
  get overdue(): SyncError | null {
    return this.#starting?.overdue ?? null;
  }

  /** Opens in a program what is open here. */
  async #resume(why: SyncError | null): Promise<void> {
    const { leads, frozen } = this.#leader, { runtime, handle } = this.#seat!;
    this.#place(false);
    const host = { ended: () => this.life.ended, failed: (e: LogEntry) => this.#log(e) };
    const there = new Set<Stream>(), calls: (() => void)[] = [];
    for (let left = this.#open; left.length > 0; left = this.#open.filter((s) => !there.has(s))) {
      for (const stream of left) there.add(stream); // more may come meanwhile
      calls.push(...(await Promise.all(left.map((s) => reopen(runtime, handle, s, host)))).flat());
    }
    if (this.life.ended || this.life.why !== why) return;
    this.life.turn("open");
    if (this.#leader.leads !== leads || this.#leader.frozen !== frozen) this.#place(true);
    for (const call of calls) call();
    this.statusChanged();
  }

  /** Tells the core whether the page is frozen, and whether it leads. */
  #place(again: boolean): void {
    const { host, handle } = this.#seat!;
    if (this.#leader.frozen) host.freeze(handle, true);
    else if (again) host.freeze(handle, false); // it was, when the program was started
    host.lead(handle, this.#leader.leads);
    host.listenFor(handle, this.dataStreams.topics);
  }

  /** A program whose memory has grown beyond what it needs is replaced while nothing is under way, by one that is there already. */
  #beat(): void {
    const wasteful = () => {
      const runtime = this.#seat?.runtime;
      return runtime && this.life.state === "open" && runtime.memory.wasted && ![...runtime.users].some((user) => user.busy) ? runtime : null;
    };
    if (!wasteful()) return;
    spare(this.#options.wasm).then((next) => {
      const runtime = wasteful();
      if (!runtime) return next.end();
      for (const user of runtime.users) user.take();
      runtime.end(new RestartedError({ code: "restarted", message: `restarted: the memory had grown to ${runtime.bytes >> 20} MiB`, retryable: true }));
    }, (e: SyncError) => this.warn(e.code, e.message, e));
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
      else if (!this.life.ended) this.#keeper.lost(unsent);
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
    return this.#keeper.health();
  }

  async #lookAtHealth(tell: boolean): Promise<void> {
    this.#health = await this.#keeper.health();
    if (this.life.ended) return;
    this.#signals.health.changed();
    if (tell) this.#events.emit("health", this.#health);
  }

  /** How much of each stream the server does not have. */
  #unsent(): [string, number][] {
    const { streams, data } = this.status;
    return [...Object.entries(streams).map(([name, s]) => [name, s.pending]), ...Object.entries(data).map(([name, s]) => [`data:${name}`, s.pending])] as [string, number][];
  }

  /** @internal Something in the local database is newer than this. */
  outdated(): void {
    this.#updates.add("database");
  }

  /** @internal Rows that were stored are not those of the log; they are being replaced. */
  differed(stream: string): void {
    this.#keeper.differed(stream);
  }

  // ---- other contexts

  #led(yes: boolean): void {
    if (this.life.state === "open") this.#seat!.host.lead(this.#seat!.handle, yes);
    this.dataStreams.lead(yes);
    this.statusChanged();
  }

  #froze(yes: boolean): void {
    if (this.life.state === "open") this.#seat!.host.freeze(this.#seat!.handle, yes);
    this.dataStreams.now?.freeze(yes);
  }

  #listen(): void {
    this.#peers.listen(this.#options.shared, version, {
      destroyed: () => this.#end(destroyedElsewhere()),
      destroying: (yes) => (this.#destroying = yes),
      core: (message) => this.life.lives && this.#seat?.runtime.live && this.#seat.host.hear(this.#seat.handle, message), // also while streams are opened
      data: (message) => this.life.lives && this.dataStreams.hear(message),
      met: (other) => this.life.lives && this.#updates.met(other) && this.#peers.tell({ version }),
      trace: () => (this.life.state === "open" ? { trace: this.trace(), leader: this.#leader.leads, tab: globalThis.document?.title ?? "worker" } : null),
    });
  }

  // ---- streams

  get #open(): Stream[] {
    return this.#streams.all.map(([, stream]) => stream);
  }

  stream(name: string, options: StreamOptions = {}): Promise<Stream> {
    if (this.life.state === "restarting" || (this.life.state === "opening" && !this.#boot)) return this.#up().then(() => this.stream(name, options));
    return this.#streams.open(
      name,
      () => (this.#boot && this.life.state === "opening" ? this.#show(this.#boot, name, options) : this.#make(name, options)),
      (stream) => (Object.keys(options).length === 0 ? stream : stream.again(options)),
    );
  }

  /** Gives a stream as it is stored, or waits for the program where that cannot be told. */
  async #show(boot: Boot, name: string, options: StreamOptions): Promise<Stream> {
    checkName(name);
    checkStreamOptions(options);
    const early = await boot.read(name);
    if (early === 1 || early === 2) this.#lacks.set(name, early);
    else if (early !== 0 && this.life.state === "opening" && (options.conflictFree ?? early.conflictFree) === early.conflictFree) {
      const stream = new Stream(this, name, early.conflictFree, options, early);
      this.#streams.made(name, stream);
      if (this.overdue) stream.overdue(this.overdue);
      this.statusChanged();
      return stream;
    }
    await this.#up();
    return this.#make(name, options);
  }

  /** Opens one in the program. */
  async #make(name: string, options: StreamOptions): Promise<Stream> {
    checkName(name);
    checkStreamOptions(options);
    return this.#ask((seat, resolve, reject) => {
      let stream: Stream | undefined;
      const observer = relay(() => stream?.observer);
      const read = seat.runtime.memory.reading();
      seat.host.stream(seat.handle, name, options.conflictFree ?? null, options.conflicts ?? 0, observer, (problem, handle, client, conflictFree) => {
        read();
        if (problem) return reject(errorOf(problem));
        stream = new Stream(this, name, conflictFree, options);
        stream.attach(seat.runtime, handle, client, this.#lacks.get(name));
        this.#lacks.delete(name);
        this.#streams.made(name, stream);
        resolve(stream);
        this.statusChanged();
      });
    });
  }

  /** @internal */
  letGo(stream: Stream): boolean {
    return this.#streams.letGo(stream.name, stream);
  }

  /** @internal */
  forget(stream: Stream): void {
    this.#streams.forget(stream.name, stream);
    this.statusChanged();
  }

  async data(name: string, options: DataStreamOptions = {}): Promise<DataStream> {
    await this.#up();
    const data = await this.dataStreams.load();
    this.life.check();
    const stream = await data.open(name, options);
    this.statusChanged();
    return stream;
  }

  async sync(): Promise<void> {
    await this.#ask<void>((seat, resolve, reject) => seat.host.sync(seat.handle, answer(resolve, reject)));
    await this.dataStreams.now?.sync();
  }

  /** @internal The streams that have a local log. */
  names(): Promise<string[]> {
    return this.#ask((seat, resolve, reject) => seat.host.streams(seat.handle, (problem, names) => (problem ? reject(errorOf(problem)) : resolve(names))));
  }

  /** Asks the program, and those that take its place until one has answered. */
  async #ask<T>(call: (seat: Seat, resolve: (value: T) => void, reject: (e: unknown) => void) => void): Promise<T> {
    for (;;) {
      if (this.life.state !== "open") await this.#up();
      try {
        return await this.#askOnce(call);
      } catch (e) {
        if (!(e instanceof RestartedError) || !this.life.lives) throw e;
      }
    }
  }

  #askOnce<T>(call: (seat: Seat, resolve: (value: T) => void, reject: (e: unknown) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const seat = this.#seat!, { onDeath } = seat.runtime;
      seat.runtime.alive();
      onDeath.add(reject);
      const over = <V>(f: (value: V) => void) => (value: V) => {
        onDeath.delete(reject);
        f(value);
      };
      call(seat, over(resolve), over(reject));
    });
  }

  // ---- how it stands

  /** The same object until something of it is another. */
  get status(): Status {
    const streams: Status["streams"] = {}, data: Status["data"] = {};
    for (const [name, stream] of this.#streams.all) streams[name] = stream.status;
    for (const [name, stream] of this.dataStreams.now?.streams ?? []) data[name] = stream.status;
    const online = [...Object.values(streams), ...Object.values(data)].some((s) => s.state === "live");
    const next: Status = { online, leader: this.#leader.leads, user: this.user, streams, data }, last = this.#status;
    if (last && last.online === online && last.leader === next.leader && alike(last.streams, streams) && alike(last.data, data)) return last;
    Object.freeze(streams);
    Object.freeze(data);
    return (this.#status = Object.freeze(next));
  }

  /** The last turns that the loop made in this context, oldest first. */
  trace(): readonly WakeUp[] {
    if (this.life.waits) return [];
    this.life.check();
    const turns: WakeUp[] = [];
    this.#seat!.host.trace(this.#seat!.handle, (turn) => turns.push(turn));
    return turns;
  }

  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void): () => void {
    const known = event === "update" ? this.#updates.known : event === "closed" && this.life.ended ? this.life.why : undefined;
    return this.#events.on(event, fn, known as DatabaseEvents[E] | undefined);
  }

  /** @internal */
  statusChanged(): void {
    this.#signals.status.changed();
    if (this.#telling || !this.#events.has("status")) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (this.life.lives) this.#events.emit("status", this.status);
    });
  }

  // ---- its end

  close(): Promise<void> {
    if (this.#closing) return this.#closing;
    if (this.life.ended) return Promise.resolve();
    if (!this.#users.letGo()) return Promise.all([...this.#open.map((s) => s.writes.flushed), this.dataStreams.now?.flushed]).then(() => {});
    return (this.#closing = this.#close());
  }

  async #close(): Promise<void> {
    if (this.life.waits && !this.overdue && this.#open.some((s) => s.waiting?.size)) await this.#up().catch(() => {}); // what was written becomes durable
    if (this.life.ended) return;
    if (this.life.state !== "open") return this.#end(closed());
    const why = closed();
    this.life.turn("closing", why);
    const seat = this.#seat!;
    seat.leaving();
    try {
      const core = this.#askOnce<void>((seat, resolve, reject) => seat.host.close(seat.handle, answer(resolve, reject)));
      await Promise.all([core, this.dataStreams.now?.finish(why)]);
    } catch (e) {
      if (!(e instanceof RestartedError)) throw e; // each write has been told what became of it
    } finally {
      this.#end(why);
    }
  }

  async destroy(options: { force?: boolean } = {}): Promise<void> {
    const force = options.force === true, { shared } = this.#options;
    await this.#up();
    const { unread } = this.#keeper;
    if (unread && !force) throw new SyncError({ code: "storage", message: "storage: the local database cannot be read; what it holds unsent is not known", retryable: true });
    const data = await this.dataStreams.any().catch((e: unknown) => deleteUnread(shared, e, force));
    if (data) {
      const pending = await data.leave(force);
      if (pending > 0) throw new UnsentError({ code: "unsent", pending, message: `unsent: ${pending} entries of data streams are not on the server` });
    }
    this.#destroys(true); // else the others would take it for lost
    try {
      await this.#ask<void>((seat, resolve, reject) => {
        seat.leaving();
        seat.host.destroy(seat.handle, force, (problem) => {
          if (problem) seat.leaving(false);
          else {
            this.#peers.shout({ destroyed: true });
            this.#end(new ClosedError({ code: "closed", message: "the database was destroyed" }));
          }
          answer(resolve, reject)(problem);
        });
      });
      if (!this.durable) await deleted(shared).catch((e: unknown) => unread && Promise.reject(e as Error));
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
    if (this.life.ended) return;
    this.life.turn("closed", error);
    this.#users.forget();
    this.#starting?.giveUp(error);
    this.#peers.close();
    this.#seat?.leave();
    this.#leader?.end();
    this.#stopPulse();
    this.#keeper.end();
    this.#boot?.close();
    this.#seat?.runtime.onDeath.delete(this.#dead);
    this.#seat?.runtime.users.delete(this);
    for (const stream of this.#open) stream.end(error);
    void this.dataStreams.now?.close(error).catch(() => {});
    for (const signal of Object.values(this.#signals)) signal.end();
    queueMicrotask(() => this.#events.emit("closed", error));
  }

  /** @internal */
  warn(code: string, message: string, cause?: unknown): void {
    this.#log({ level: "warn", code, message, cause });
  }
}

/** What is called with an answer. */
const answer = (resolve: () => void, reject: (e: unknown) => void) => (problem: Problem | null) => (problem ? reject(errorOf(problem)) : resolve());

/** Whether two have the same under the same names. */
function alike(a: { [name: string]: unknown }, b: { [name: string]: unknown }): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
