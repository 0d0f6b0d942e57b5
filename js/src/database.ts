import { ClosedError, errorOf, invalid, SyncError, type Problem } from "./errors.js";
import { Events } from "./events.js";
import { load, type Runtime, type WasmSource } from "./runtime.js";
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

export type Status = { online: boolean; user: string | null; streams: { [name: string]: StreamStatus } };
type DatabaseEvents = { status: Status };

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
    return url.href.replace(/[?#].*$/, "").replace(/\/*$/, "") + "/v1/sync";
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
  readonly #events: Events<DatabaseEvents>;
  #handle = 0;
  #closed: SyncError | null = null;
  #channel: BroadcastChannel | null = null;
  #telling = false;
  readonly #dead: (e: SyncError) => void;

  /** @internal */
  constructor(runtime: Runtime, options: OpenOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.name = options.name;
    this.user = options.user ?? null;
    this.#events = new Events((e) => this.warn("listener", "a listener of the database threw", e));
    this.#dead = (e) => {
      this.#log({ level: "error", code: e.code, message: e.message, cause: e.cause });
      this.#end(e);
    };
  }

  /** @internal */
  begin(url: string): Promise<void> {
    const o = this.#options;
    const options = {
      name: o.name,
      user: o.user ?? "",
      url,
      strict: o.durability === "strict",
      retry: o.timers?.retry ?? 0,
      idle: o.timers?.idle ?? 0,
    };
    return new Promise((resolve, reject) => {
      this.#runtime.alive();
      this.#runtime.onDeath.add(reject);
      this.#runtime.host.open(options, o.auth, (stream) => this.#channel?.postMessage(stream), (problem, handle) => {
        this.#runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        this.#handle = handle;
        this.#runtime.onDeath.add(this.#dead);
        this.#listen();
        resolve();
      });
    });
  }

  /** Other tabs tell that they have written. Only a hint: what counts is read from the local log. */
  #listen(): void {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(`strandline/${this.name}/${this.user ?? ""}`);
    this.#channel.onmessage = (e: MessageEvent<unknown>) => {
      if (typeof e.data === "string" && !this.#closed) this.#runtime.host.refresh(this.#handle, e.data);
    };
  }

  stream(name: string): Promise<Stream> {
    let stream = this.#streams.get(name);
    if (!stream) {
      stream = this.#open(name);
      this.#streams.set(name, stream);
      stream.catch(() => this.#streams.delete(name));
    }
    return stream;
  }

  #open(name: string): Promise<Stream> {
    return new Promise((resolve, reject) => {
      this.#check();
      if (typeof name !== "string") throw invalid("/name", "is no string");
      let stream: Stream | undefined;
      // The core may tell before the stream is there, of a state that its first look will show.
      const observer = {} as { [event: string]: (...args: never[]) => void };
      for (const event of ["committed", "failed", "resolved", "refused", "changed", "statusChanged", "closed"] as const) {
        observer[event] = (...args: never[]) => (stream?.observer[event] as ((...args: never[]) => void) | undefined)?.(...args);
      }
      this.#runtime.onDeath.add(reject);
      this.#runtime.host.stream(this.#handle, name, observer, (problem, handle, client) => {
        this.#runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        stream = new Stream(this, this.#runtime, handle, name, client);
        this.#opened.set(name, stream);
        resolve(stream);
      });
    });
  }

  /** @internal */
  forget(stream: Stream): void {
    if (this.#opened.get(stream.name) === stream) {
      this.#opened.delete(stream.name);
      this.#streams.delete(stream.name);
    }
  }

  sync(): Promise<void> {
    return this.#ask((done) => this.#runtime.host.sync(this.#handle, done));
  }

  #ask(call: (done: (problem: Problem | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check();
      call((problem) => (problem ? reject(errorOf(problem)) : resolve()));
    });
  }

  get status(): Status {
    const streams: Status["streams"] = {};
    for (const [name, stream] of this.#opened) streams[name] = stream.status;
    return { online: Object.values(streams).some((s) => s.state === "live"), user: this.user, streams };
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

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#ask((done) => this.#runtime.host.close(this.#handle, done));
    this.#end(new ClosedError({ code: "closed", message: "the database is closed" }));
  }

  async destroy(options: { force?: boolean } = {}): Promise<void> {
    await this.#ask((done) => this.#runtime.host.destroy(this.#handle, options.force === true, done));
    this.#end(new ClosedError({ code: "closed", message: "the database was destroyed" }));
  }

  #end(error: SyncError): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#channel?.close();
    this.#runtime.onDeath.delete(this.#dead);
    for (const stream of [...this.#opened.values()]) stream.end(error);
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
