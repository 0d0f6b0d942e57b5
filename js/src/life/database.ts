// A database as apps have it: its life, in one program after another; its streams; what its contexts and its browser tell of it.
import { bundled } from "./bundled.js";
import { Contexts, destroyedElsewhere } from "./contexts.js";
import { DataStreams } from "./datastreams.js";
import { destroy } from "./deletion.js";
import { asksPeople } from "./health.js";
import { Inspection } from "./inspection.js";
import { Keeper } from "./keeper.js";
import { dataScript } from "./lazy.js";
import { answer, Programs, type Opening } from "./programs.js";
import { Standing } from "./standing.js";
import { Streams, type Holders } from "./streams.js";
import { Trail } from "./trail.js";
import { Boot } from "../boot/boot.js";
import type { Of as Bundled } from "../bundle/bundle.js";
import type { Taken } from "../bundle/take.js";
import type { DataStreamOptions } from "../data/options.js";
import type { DataStream } from "../data/stream.js";
import type { WakeUp } from "../program/runtime.js";
import { Token } from "../server/token.js";
import { failureOf } from "../server/failure.js";
import { historyOf } from "../server/history.js";
import { Transport } from "../server/transport.js";
import type { Owner } from "../streams/owner.js";
import type { Stream } from "../streams/stream.js";
import { asyncDispose, type Ending, type Until } from "../values/ending.js";
import { ClosedError, errorOf, RestartedError, SyncError } from "../values/errors.js";
import { newID } from "../values/ids.js";
import { Life } from "../values/life.js";
import { logTo } from "../values/log.js";
import { sharedName, type LogEntry, type OpenOptions, type StreamOptions } from "../values/options.js";
import type { DatabaseEvents, Health, ObjectHistory, Status } from "../values/states.js";

const hearsay = 500; // milliseconds that other contexts have to say that they have deleted a database that is gone
const closed = () => new ClosedError({ code: "closed", message: "the database is closed" });
const starting = new SyncError({ code: "starting", message: "starting: the runtime is not there yet", retryable: true });

export class Database implements Owner {
  readonly name: string;
  readonly user: string | null;
  /** @internal */
  readonly life = new Life(starting);
  /** @internal */
  readonly dataStreams: DataStreams;
  readonly #options: Opening;
  readonly #transport: Transport;
  readonly #programs: Programs;
  readonly #users: Holders;
  readonly #streams: Streams;
  readonly #standing: Standing;
  readonly #contexts: Contexts;
  readonly #keeper: Keeper;
  readonly #trail: Trail;
  readonly #log: (entry: LogEntry) => void;
  #closing: Promise<void> | null = null;

  /** @internal */
  constructor(options: OpenOptions, url: string, candidate: boolean, users: Holders) {
    this.#options = { ...options, url, shared: sharedName(options), candidate };
    this.#users = users;
    this.#log = logTo(options.log);
    this.name = options.name;
    this.user = options.user ?? null;
    this.#keeper = new Keeper(this.#options.shared, { persist: options.persist ?? !asksPeople(), memory: options.storage === "memory" }, {
      reached: () => this.life.state !== "open" || this.url === "" || Object.values(this.status.streams).every((s) => /^(live|syncing)$/.test(s.state)),
      unsent: () => (this.life.state === "open" ? this.#standing.unsent : null),
      changed: (level, code, message) => {
        this.#log({ level, code, message });
        setTimeout(() => void this.#standing.look(true)); // when open has resolved
      },
      deleted: () => this.#end(destroyedElsewhere()),
    });
    this.#trail = new Trail(this.#options.shared, () => (this.durable && this.life.state === "open" ? this.trace() : []));
    const { retry } = options.timers ?? {};
    this.#transport = new Transport(url, new Token(options.auth, retry ?? 5000), options.fetch);
    this.dataStreams = new DataStreams({
      options,
      shared: this.#options.shared,
      transport: this.#transport,
      seat: () => this.#programs.seat,
      durable: () => this.durable,
      memory: options.storage === "memory",
      leads: () => this.#contexts.leader.leads,
      closed: () => (this.life.lives ? null : this.life.why),
      newID,
      log: (level, code, message, cause) => this.#log({ level, code, message, cause }),
      tell: (message) => this.#contexts.tell(message),
      statusChanged: () => {
        this.wrote();
        this.statusChanged();
      },
    });
    this.#programs = new Programs(this.#ofPrograms());
    this.#streams = new Streams({ owner: this, life: this.life, programs: this.#programs });
    this.#standing = new Standing(
      {
        user: this.user,
        leads: () => this.#contexts.leader.leads,
        streams: () => this.#streams.all,
        data: () => this.dataStreams.now?.streams ?? [],
        health: () => this.#health(),
        ended: () => !this.life.lives,
      },
      (e) => this.warn("listener", "a listener of the database threw", e),
    );
    this.#contexts = new Contexts(
      {
        life: this.life,
        programs: this.#programs,
        keeper: this.#keeper,
        data: this.dataStreams,
        token: this.#transport.token,
        led: () => this.statusChanged(),
        hidden: () => void this.#trail.keep(),
        update: (news) => this.#standing.tell("update", news),
        inspection: new Inspection(this, (name) => this.#open.find((stream) => stream.name === name)),
        end: (why) => this.#end(why),
      },
      this.#options.shared,
      candidate,
    );
  }

  /** @internal The name that its contexts share, by which an inspector asks. */
  get shared(): string {
    return this.#options.shared;
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

  /** What its programs ask and tell. */
  #ofPrograms(): ConstructorParameters<typeof Programs>[0] {
    const db = this;
    return {
      life: this.life,
      options: this.#options,
      hooks: {
        tell: (message: Uint8Array) => this.#contexts.tell(message),
        lost: (unsent: number) => this.#lost(unsent),
        ...this.dataStreams.hooks,
      },
      transport: this.#transport,
      get leader() {
        return db.#contexts.leader;
      },
      get durable() {
        return db.durable;
      },
      get busy() {
        return !db.durable || db.life.state !== "open" || db.#open.some((s) => s.busy); // what is in its memory only would go with it
      },
      take: () => this.#open.forEach((stream) => stream.rows.fresh()),
      streams: () => this.#open,
      opened: (life, why) => {
        this.#keeper.opened(life, why);
        if (this.durable) this.#contexts.join();
      },
      begun: () => this.#begun(),
      resumed: () => this.dataStreams.now?.resume(),
      alone: () => this.#alone(),
      lostInMemory: (unsent) => this.#keeper.custody.forgotten(unsent),
      statusChanged: () => this.statusChanged(),
      log: (entry) => this.#log(entry),
      end: (error) => this.#end(error),
    };
  }

  /** @internal */
  get overdue(): SyncError | null {
    return this.#programs.overdue;
  }

  /** @internal */
  async begin(): Promise<void> {
    const { shared, candidate, storage } = this.#options;
    const boot = candidate && storage !== "memory" ? await Boot.open(shared) : null;
    if (boot) {
      this.#contexts.listen();
      return this.#programs.beginWith(boot);
    }
    await this.#programs.begin();
    this.#contexts.listen();
    if (this.life.state === "opening") this.life.turn("open"); // else it has died already, and is being started again
    this.#begun();
  }

  /** The first program is there. */
  #begun(): void {
    if (this.life.ended) return;
    if (!this.durable) this.#alone();
    this.#contexts.begin();
    if (!this.#options.candidate) return;
    this.wrote(); // what was left the last time
    void this.#standing.look(false);
  }

  // ---- what the browser keeps, or does not

  /** @internal Whether what is committed is kept by this browser. */
  get durable(): boolean {
    return this.#keeper.custody.durable;
  }

  /** @internal Whether what is committed is as well kept as the app wants it. */
  get keeps(): boolean {
    return this.#keeper.custody.keeps;
  }

  /** @internal */
  wrote(): void {
    this.#keeper.wrote();
  }

  /** The database is gone while it is open: the core goes on in memory. Where somebody has deleted it on purpose, that is heard within a moment. */
  #lost(unsent: number): void {
    for (const s of this.dataStreams.now?.streams.values() ?? []) unsent += s.status.pending;
    this.#keeper.custody.missing(unsent, (judge) => setTimeout(() => this.life.ended || judge(), hearsay));
    this.#alone();
  }

  /** What is in the memory of this context nobody else sees: it runs the loop for itself. */
  #alone(): void {
    this.#contexts.alone();
    void this.dataStreams.now?.taken();
  }

  health(): Promise<Health> {
    return this.#programs.up().then(() => this.#health());
  }

  #health(): Promise<Health> {
    return this.#keeper.health(this.#streams.all.reduce((n, [, stream]) => n + stream.unviewed, 0));
  }

  /** @internal Something in the local database is newer than this. */
  outdated(): void {
    this.#contexts.updates.add("database");
  }

  /** @internal Rows that were stored are not those of the log; they are being replaced. */
  differed(stream: string): void {
    this.#keeper.differed(stream);
  }

  /** @internal */
  history(stream: string, object: string): Promise<ObjectHistory> {
    return historyOf(this.#transport, stream, object).catch((e: unknown) => {
      const { code, message } = failureOf(e);
      throw errorOf({ code, message: `${code}: ${message}`, retryable: code !== "forbidden" && code !== "malformed" });
    });
  }

  // ---- streams

  get #open(): Stream[] {
    return this.#streams.all.map(([, stream]) => stream);
  }

  stream(name: string, options: StreamOptions = {}): Promise<Stream> {
    return this.#streams.open(name, options);
  }

  /** @internal */
  letGo(stream: Stream): boolean {
    return this.#streams.letGo(stream);
  }

  /** @internal */
  forget(stream: Stream): void {
    this.#streams.forget(stream);
  }

  async data(name: string, options: DataStreamOptions = {}): Promise<DataStream> {
    await this.#programs.up();
    const data = await this.dataStreams.load();
    this.life.check();
    const stream = await data.open(name, options);
    this.statusChanged();
    return stream;
  }

  async sync(): Promise<void> {
    this.#transport.token.wake();
    await this.#programs.sync();
  }

  /** @internal The streams that have a local log. */
  names(): Promise<string[]> {
    return this.#programs.names();
  }

  // ---- how it stands

  get status(): Status {
    return this.#standing.status;
  }

  /** The status, and what this browser gives (null while that is not known), as values that follow them. */
  get live(): Standing["live"] {
    return this.#standing.live;
  }

  /** @internal */
  statusChanged(): void {
    this.#standing.changed();
    this.#keeper.stands();
    this.#trail.changed();
  }

  /** The last turns that the loop made in this context, oldest first. */
  trace(): readonly WakeUp[] {
    if (this.life.waits) return [];
    this.life.check();
    return this.#programs.trace();
  }

  async export({ redact = false }: { redact?: boolean } = {}): Promise<Blob> {
    await this.#programs.up();
    return (await dataScript()).write(this.#bundled, redact === true);
  }

  async import(bundle: Blob | string): Promise<Taken> {
    await this.#programs.up();
    return (await dataScript()).take(this.#bundled, bundle);
  }

  get #bundled(): Bundled {
    return bundled(this, this.#programs, () => this.#open, this.dataStreams, this.#transport.url !== "");
  }

  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void, options: Until = {}): Ending {
    return this.#standing.on(event, fn, options, event === "update" ? (this.#contexts.updates.known as DatabaseEvents[E] | undefined) : undefined);
  }

  // ---- its end

  close(): Promise<void> {
    if (this.#closing) return this.#closing;
    if (this.life.ended) return Promise.resolve();
    if (!this.#users.letGo()) return Promise.all([...this.#open.map((s) => s.flushed()), this.dataStreams.now?.flushed]).then(() => {});
    return (this.#closing = this.#close());
  }

  async #close(): Promise<void> {
    if (this.life.waits && !this.#programs.overdue && this.#open.some((s) => s.waiting?.size)) await this.#programs.up().catch(() => {}); // what was written becomes durable
    if (this.life.ended) return;
    if (this.life.state !== "open") return this.#end(closed());
    const why = closed(), kept = this.#trail.keep();
    this.life.turn("closing", why);
    this.#programs.seat!.leaving();
    try {
      const core = this.#programs.askOnce<void>((seat, resolve, reject) => seat.host.close(seat.handle, answer(resolve, reject)));
      await Promise.all([core, this.dataStreams.now?.finish(why), kept]);
    } catch (e) {
      if (!(e instanceof RestartedError)) throw e; // each write has been told what became of it
    } finally {
      this.#end(why);
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  async destroy({ force = false }: { force?: boolean } = {}): Promise<void> {
    await destroy(
      { programs: this.#programs, keeper: this.#keeper, dataStreams: this.dataStreams, contexts: this.#contexts, shared: this.#options.shared, end: (why) => this.#end(why) },
      force === true,
    );
  }

  #end(error: SyncError): void {
    if (this.life.ended) return;
    this.life.turn("closed", error);
    this.#users.forget();
    this.#programs.end(error);
    this.#transport.end();
    this.#contexts.end();
    this.#keeper.end();
    this.#trail.end();
    for (const stream of this.#open) stream.end(error);
    void this.dataStreams.now?.close(error).catch(() => {});
    this.#standing.end(error);
  }

  /** @internal */
  warn(code: string, message: string, cause?: unknown): void {
    this.#log({ level: "warn", code, message, cause });
  }
}
