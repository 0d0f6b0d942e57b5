// The data streams of a database, as it sees them: their script is loaded when the first one is opened by any context.
import { SyncError } from "../values/errors.js";
import { dataHost, hasData } from "./datahost.js";
import type { DataSync } from "../data/sync.js";
import { dataScript } from "./lazy.js";
import type { OpenOptions } from "../values/options.js";

interface Owner {
  options: OpenOptions;
  shared: string;
  url: string;
  durable(): boolean;
  leads(): boolean;
  closed(): SyncError | null;
  newID(): string;
  log(level: "info" | "warn" | "error", code: string, message: string, cause?: unknown): void;
  tell(message: object): void;
  changed(): void;
  /** An entry that actions wait for is on the server. */
  entryDurable(stream: string, entry: string): unknown;
  listenFor(names: readonly string[]): void;
}

export class DataStreams {
  readonly #owner: Owner;
  #loading: Promise<DataSync> | null = null;
  /** The loop, once the script is there. */
  now: DataSync | null = null;
  readonly #awaited = new Map<string, readonly [stream: string, entry: string]>(); // entries that actions wait for
  /** What the connection for hints is to be about as well. */
  topics: readonly string[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  load(): Promise<DataSync> {
    const o = this.#owner;
    return (this.#loading ??= dataScript().then(
      ({ DataSync }) => {
        const data = new DataSync(
          dataHost(o.options, o.shared, o.url, {
            durable: o.durable,
            newID: o.newID,
            log: (level, code, message, cause) => o.log(level, code, message, cause),
            tell: (message) => o.tell(message),
            statusChanged: () => o.changed(),
            poke: () => this.#look(),
            listenFor: (names) => o.listenFor((this.topics = names)),
          }),
        );
        const closed = o.closed();
        if (closed) void data.close(closed);
        this.now = data;
        if (o.leads()) data.lead(true);
        return data;
      },
      (e: unknown) => {
        this.#loading = null;
        throw new SyncError({ code: "unreachable", message: "the script of the data streams could not be loaded", retryable: true }, e);
      },
    ));
  }

  /** The loop, where any context has opened a data stream of the database; else null. */
  async any(): Promise<DataSync | null> {
    return this.#loading || (await hasData(this.#owner.shared, this.#owner.durable())) ? this.load() : null;
  }

  lead(yes: boolean): void {
    this.now?.lead(yes);
    if (yes) void this.any().catch(() => {});
  }

  /** What another context tells: who leads works for all. */
  hear(message: { data: string }): void {
    if (this.now) this.now.hear(message);
    else if (this.#owner.leads() && message.data !== "who") this.load().then((data) => data.hear(message), () => {});
  }

  /** Has entryDurable called when the server has an entry that an action refers to. */
  readonly await = (stream: string, entry: string): void => {
    this.#awaited.set(`${stream} ${entry}`, [stream, entry]);
    if (!this.now) void this.load().then(() => this.#look()).catch(() => {});
    else queueMicrotask(() => this.#look()); // not within the program's step
  };

  #look(): void {
    for (const [key, [stream, entry]] of this.#awaited) {
      if (!this.now?.durable(stream, entry)) continue;
      this.#awaited.delete(key);
      this.#owner.entryDurable(stream, entry);
    }
  }
}
