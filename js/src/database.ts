import { ClosedError, errorOf, invalid, RejectedError, SyncError, UnsentError, type Problem } from "./errors.js";
import { Events } from "./events.js";
import { check } from "./json.js";
import { dataScript } from "./lazy.js";
import type { DataSync } from "./data/sync.js";
import type { DataStreamOptions } from "./data/options.js";
import type { DataStream } from "./data/stream.js";
import { begin } from "./write.js";
import { load, type Runtime, type Slot, type WakeUp, type WasmSource } from "./runtime.js";
import { checkStreamOptions, type StreamOptions } from "./options.js";
import { Stream, type StreamStatus } from "./stream.js";

export type LogEntry = { level: "info" | "warn" | "error"; code: string; message: string; stream?: string; cause?: unknown };

export interface OpenOptions {
  name: string;
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
  user?: string;
  wasm?: WasmSource;
  durability?: "relaxed" | "strict";
  timers?: { retry?: number; idle?: number };
  log?: (entry: LogEntry) => void;
}

export type Status = { online: boolean; leader: boolean; user: string | null; streams: { [name: string]: StreamStatus } };
type DatabaseEvents = { status: Status };

const slotLimit = 1000; // milliseconds that a tab waits for its turn to write

const maxTimer = 2 ** 31 - 1; // of a browser's timers: 24 days

const known = new Set(["name", "server", "auth", "user", "wasm", "durability", "timers", "log"]);

/** Opens (or makes) the local database, and starts the sync loop. */
export async function open(options: OpenOptions): Promise<Database> {
  const url = checkOptions(options);
  const runtime = await load(options.wasm);
  const db = new Database(runtime, options);
  await db.begin(url);
  return db;
}

function checkOptions(o: OpenOptions): string {
  if (typeof o !== "object" || o === null) throw invalid("", "open takes an object of options");
  for (const key of Object.keys(o)) if (!known.has(key)) throw invalid(`/${key}`, "is no option");
  if (typeof o.name !== "string" || o.name === "") throw invalid("/name", "a database has a name");
  if (o.user !== undefined && typeof o.user !== "string") throw invalid("/user", "is no string");
  if (o.auth !== undefined && typeof o.auth !== "function") throw invalid("/auth", "is no function");
  if (o.log !== undefined && typeof o.log !== "function") throw invalid("/log", "is no function");
  if (o.durability !== undefined && o.durability !== "relaxed" && o.durability !== "strict") throw invalid("/durability", 'is neither "relaxed" nor "strict"');
  for (const key of ["retry", "idle"] as const) {
    const ms = o.timers?.[key];
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 1)) throw invalid(`/timers/${key}`, "is no number of milliseconds");
  }
  if (o.server === undefined) return "";
  try {
    const url = new URL(o.server, globalThis.location?.href);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("no http");
    return url.href.replace(/[?#].*$/, "").replace(/\/*$/, "") + "/v1";
  } catch {
    throw invalid("/server", "is no http URL");
  }
}

export class Database {
  readonly name: string;
  readonly user: string | null;
  readonly #runtime: Runtime;
  readonly #options: OpenOptions;
  readonly #streams = new Map<string, Promise<Stream>>();
  readonly #opened = new Map<string, Stream>();
  readonly #leaving = new Map<string, Stream>();
  readonly #events: Events<DatabaseEvents>;
  #handle = 0;
  #closed: SyncError | null = null;
  #closing: Promise<void> | null = null;
  #ended = false;
  #channel: BroadcastChannel | null = null;
  #leader = false;
  #unlock: (() => void) | null = null;
  #awake = new AbortController(); // aborted when the page is frozen, or lets go: with it end the requests for locks
  readonly #slots = new Set<() => void>();
  readonly #unlisten: (() => void)[] = [];
  #telling = false;
  #url = "";
  #holding = false; // actions wait for entries of data streams
  #data: Promise<DataSync> | null = null;
  #dataNow: DataSync | null = null;
  readonly #dead: (e: SyncError) => void;

  /** @internal */
  constructor(runtime: Runtime, options: OpenOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.name = options.name;
    this.user = options.user ?? null;
    this.#events = new Events(["status"], (e) => this.warn("listener", "a listener of the database threw", e));
    this.#dead = (e) => {
      this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
      this.#end(e);
    };
  }

  /** @internal */
  begin(url: string): Promise<void> {
    const o = this.#options;
    this.#url = url;
    const options = {
      name: o.name,
      user: o.user ?? "",
      url,
      strict: o.durability === "strict",
      retry: Math.min(o.timers?.retry ?? 0, maxTimer),
      idle: Math.min(o.timers?.idle ?? 0, maxTimer),
      elect: typeof BroadcastChannel !== "undefined" && !!globalThis.navigator?.locks,
    };
    this.#leader = !options.elect;
    return new Promise((resolve, reject) => {
      this.#runtime.alive();
      this.#runtime.onDeath.add(reject);
      this.#runtime.host.open(options, o.auth, (message) => this.#channel?.postMessage(message), options.elect ? this.#slot : null, this.#held, (problem, handle) => {
        this.#runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        this.#handle = handle;
        this.#runtime.onDeath.add(this.#dead);
        this.#listen();
        if (options.elect) this.#elect();
        this.#watchLifecycle(options.elect);
        resolve();
      });
    });
  }

  /** Whether an action refers to an entry of a data stream that the server does not have yet. */
  readonly #held = (action: string): boolean => {
    let held = false;
    for (const [, stream, entry] of action.matchAll(/\{"\$data":"([^"\\]+)","entry":"([0-9a-f-]{36})"\}/g)) {
      if (!this.#dataNow) void this.#withData().then(this.#poke).catch(() => {});
      if (!this.#dataNow?.durable(stream!, entry!)) held = this.#holding = true;
    }
    return held;
  };

  /** Offers what was held, if anything was. */
  readonly #poke = (): void => {
    if (!this.#holding || this.#closed) return;
    this.#holding = false;
    this.#runtime.host.poke(this.#handle);
  };

  /** A turn to write: tabs that write at once would else only lose races to one another. Who waits too long goes without. */
  readonly #slot: Slot = (stream, got) => {
    let waiting = true;
    const awake = this.#awake.signal;
    const go = (release: () => void) => {
      if (!waiting) return release();
      waiting = false;
      got(release);
    };
    const granted = () =>
      new Promise<void>((resolve) => {
        if (awake.aborted) return resolve(); // the page was frozen meanwhile: nobody waits for a frozen page
        const release = () => {
          this.#slots.delete(release);
          resolve();
        };
        this.#slots.add(release);
        go(release);
      });
    const signal = AbortSignal.any([AbortSignal.timeout(slotLimit), awake]);
    navigator.locks.request(`${this.#shared}/${stream}`, { signal }, granted).catch(() => go(() => {}));
  };

  get #shared(): string {
    return `strandline/${encodeURIComponent(this.name)}/${encodeURIComponent(this.user ?? "")}`;
  }

  /** What other tabs tell. Only hints: what counts is read from the local log. */
  #listen(): void {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(this.#shared);
    this.#channel.onmessage = (e: MessageEvent<unknown>) => {
      if (this.#closed) return;
      if (e.data instanceof Uint8Array) this.#runtime.host.hear(this.#handle, e.data);
      else if (typeof (e.data as { data?: unknown } | null)?.data === "string") this.#heard(e.data as { data: string });
      else if (e.data === "trace?") this.#channel?.postMessage({ trace: this.trace(), leader: this.#leader, tab: globalThis.document?.title ?? "worker" });
    };
  }

  /** A frozen page holds nothing that others wait for: no lock, and no transaction. */
  #watchLifecycle(elect: boolean): void {
    let frozen = false;
    const freeze = (yes: boolean) => {
      if (frozen === yes) return;
      frozen = yes;
      if (yes) this.#release();
      else this.#awake = new AbortController();
      this.#runtime.host.freeze(this.#handle, yes);
      this.#dataNow?.freeze(yes);
      if (!yes && elect) this.#elect();
    };
    const on = (target: EventTarget | undefined, event: string, fn: (e: Event) => void) => {
      target?.addEventListener(event, fn);
      this.#unlisten.push(() => target?.removeEventListener(event, fn));
    };
    on(globalThis.document, "freeze", () => freeze(true));
    on(globalThis.document, "resume", () => freeze(false));
    on(globalThis, "pagehide", (e) => (e as PageTransitionEvent).persisted && freeze(true));
    on(globalThis, "pageshow", () => freeze(false));
  }

  /** Gives back what others wait for. */
  #release(): void {
    this.#awake.abort();
    this.#unlock?.();
    for (const release of this.#slots) release();
  }

  /** Waits for the database's lock: who holds it runs the loop for all. */
  #elect(): void {
    const awake = this.#awake.signal;
    this.#unlock = null;
    const lead = (yes: boolean) => {
      if (this.#ended) return;
      this.#leader = yes;
      this.#runtime.host.lead(this.#handle, yes);
      this.#dataNow?.lead(yes);
      if (yes) void this.#hasData().then((has) => (has ? this.#withData() : null)).catch(() => {});
      this.statusChanged();
    };
    const held = () =>
      new Promise<void>((release) => {
        const unlock = () => {
          lead(false);
          release();
        };
        if (this.#ended || awake.aborted) release();
        else {
          this.#unlock = unlock;
          lead(true);
        }
      });
    navigator.locks.request(this.#shared, { signal: awake }, held).catch(() => awake.aborted || lead(false)); // stolen
  }

  stream(name: string, options: StreamOptions = {}): Promise<Stream> {
    let stream = this.#streams.get(name);
    if (!stream) {
      // One that is being closed is opened anew when it has ended: two of a name would not know of one another.
      const closing = this.#leaving.get(name);
      stream = closing ? closing.close().then(() => this.#open(name, options)) : this.#open(name, options);
      this.#streams.set(name, stream);
      stream.catch(() => this.#streams.delete(name));
      return stream;
    }
    return Object.keys(options).length === 0 ? stream : stream.then((open) => open.again(options));
  }

  #open(name: string, options: StreamOptions): Promise<Stream> {
    return new Promise((resolve, reject) => {
      this.#check();
      if (typeof name !== "string") throw invalid("/name", "is no string");
      checkStreamOptions(options);
      let stream: Stream | undefined;
      // The core may tell before the stream is there, of a state that its first look will show.
      const observer = {} as { [event: string]: (...args: never[]) => void };
      for (const event of ["committed", "failed", "resolved", "refused", "conflict", "changed", "statusChanged", "closed"] as const) {
        observer[event] = (...args: never[]) => (stream?.observer[event] as ((...args: never[]) => void) | undefined)?.(...args);
      }
      this.#runtime.onDeath.add(reject);
      this.#runtime.host.stream(this.#handle, name, options.conflictFree ?? null, options.conflicts ?? 0, observer, (problem, handle, client, conflictFree) => {
        this.#runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        stream = new Stream(this, this.#runtime, handle, name, client, conflictFree, options);
        this.#opened.set(name, stream);
        resolve(stream);
        this.statusChanged();
      });
    });
  }

  async data(name: string, options: DataStreamOptions = {}): Promise<DataStream> {
    this.#check();
    const data = await this.#withData();
    this.#check();
    const stream = await data.open(name, options);
    this.statusChanged();
    return stream;
  }

  /** The loop of the data streams: it begins with the first one that any context opens. */
  #withData(): Promise<DataSync> {
    return (this.#data ??= dataScript().then(
      ({ DataSync }) => {
        const o = this.#options;
        const data = new DataSync({
          kit: { SyncError, RejectedError, errorOf, invalid, Events, begin, check },
          shared: this.#shared,
          url: this.#url,
          auth: o.auth,
          durability: o.durability ?? "relaxed",
          retry: Math.min(o.timers?.retry ?? 5000, maxTimer),
          idle: Math.min(o.timers?.idle ?? 60_000, maxTimer),
          newID: () => {
            this.#runtime.alive();
            this.#runtime.status(this.#runtime.exports.strandline_new_id(Date.now()));
            return this.#runtime.ascii();
          },
          log: (level, code, message, cause) => this.#log({ level, code, message, cause }),
          tell: (message) => this.#channel?.postMessage(message),
          statusChanged: () => this.statusChanged(),
          poke: this.#poke,
        });
        if (this.#closed) void data.close(this.#closed);
        this.#dataNow = data;
        if (this.#leader) data.lead(true);
        return data;
      },
      (e: unknown) => {
        this.#data = null;
        throw new SyncError({ code: "unreachable", message: "the script of the data streams could not be loaded", retryable: true }, e);
      },
    ));
  }

  /** Tells whether a context has opened a data stream. */
  async #hasData(): Promise<boolean> {
    const all = await indexedDB.databases?.();
    return !all || all.some((db) => db.name === `${this.#shared}/data`);
  }

  /** What another context tells of data streams: who leads works for all. */
  #heard(message: { data: string }): void {
    if (this.#dataNow) this.#dataNow.hear(message);
    else if (this.#leader && message.data !== "who") this.#withData().then((data) => data.hear(message), () => {});
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
    await this.#ask((done) => this.#runtime.host.sync(this.#handle, done));
    await this.#dataNow?.sync();
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
    for (const [name, stream] of this.#dataNow?.streams ?? []) streams[`data:${name}`] = stream.status;
    return { online: Object.values(streams).some((s) => s.state === "live"), leader: this.#leader, user: this.user, streams };
  }

  /** The last turns that the loop made in this context, oldest first. */
  trace(): readonly WakeUp[] {
    this.#check();
    const turns: WakeUp[] = [];
    this.#runtime.host.trace(this.#handle, (turn) => turns.push(turn));
    return turns;
  }

  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void): () => void {
    return this.#events.on(event, fn);
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
    this.#closing = this.#ask((done) => {
      this.#closed = new ClosedError({ code: "closed", message: "the database is closed" }); // for every call from now on
      this.#runtime.host.close(this.#handle, done);
    }).finally(() => this.#end(this.#closed!));
    return this.#closing;
  }

  async destroy(options: { force?: boolean } = {}): Promise<void> {
    this.#check();
    const data = this.#data || (await this.#hasData()) ? await this.#withData().catch((e: unknown) => this.#unread(e, options.force === true)) : null;
    if (data) {
      const pending = await data.leave(options.force === true);
      if (pending > 0) throw new UnsentError({ code: "unsent", pending, message: `unsent: ${pending} entries of data streams are not on the server` });
    }
    await this.#ask((done) =>
      this.#runtime.host.destroy(this.#handle, options.force === true, (problem) => {
        if (!problem) this.#end(new ClosedError({ code: "closed", message: "the database was destroyed" }));
        done(problem);
      }),
    );
    await data?.store.destroy();
  }

  /** Without the script nobody knows what the data streams would lose. */
  #unread(e: unknown, force: boolean): null {
    if (!force) throw e;
    indexedDB.deleteDatabase(`${this.#shared}/data`);
    return null;
  }

  #end(error: SyncError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closed = error;
    this.#channel?.close();
    this.#release();
    this.#runtime.onDeath.delete(this.#dead);
    for (const unlisten of this.#unlisten) unlisten();
    for (const stream of [...this.#opened.values()]) stream.end(error);
    void this.#dataNow?.close(error).catch(() => {});
  }

  #check(): void {
    if (this.#closed) throw this.#closed;
    this.#runtime.alive();
  }

  /** @internal */
  warn(code: string, message: string, cause?: unknown): void {
    this.#log({ level: "warn", code, message, cause });
  }

  #log(entry: LogEntry): void {
    if (this.#options.log) {
      try {
        this.#options.log(entry);
        return;
      } catch {
        // the console is left
      }
    }
    console[entry.level](`strandline: ${entry.message}`, entry.cause ?? "");
  }
}
