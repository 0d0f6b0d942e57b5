// The data streams of a database, as it sees them: their script is loaded when the first one is opened by any context, or has its turn.
import { dataHost, hasData } from "./datahost.js";
import { dataScript } from "./lazy.js";
import type { Seat } from "./seat.js";
import type { Host } from "../data/kit.js";
import type { DataSync } from "../data/sync.js";
import { failureOf, problemOf } from "../server/failure.js";
import type { SyncError } from "../values/errors.js";
import type { OpenOptions } from "../values/options.js";

interface Owner extends Pick<Host, "shared" | "transport" | "durable" | "memory" | "newID" | "log" | "tell" | "statusChanged"> {
  options: OpenOptions;
  /** Its place in the program of now. */
  seat(): Seat | null;
  leads(): boolean;
  closed(): SyncError | null;
}

export class DataStreams {
  readonly #owner: Owner;
  #loading: Promise<DataSync> | null = null;
  /** What the script makes of them, once it is there. */
  now: DataSync | null = null;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  load(): Promise<DataSync> {
    const o = this.#owner;
    return (this.#loading ??= dataScript().then(
      ({ DataSync }) => {
        const data = new DataSync(dataHost(o.options, o));
        const closed = o.closed();
        if (closed) void data.close(closed);
        this.now = data;
        if (o.leads()) data.lead(true);
        return data;
      },
      (e: unknown) => {
        this.#loading = null;
        throw e;
      },
    ));
  }

  /** What the script makes of them, where any context has opened a data stream of the database; else null. */
  async any(): Promise<DataSync | null> {
    return this.#loading || (await hasData(this.#owner.shared, this.#owner.durable())) ? this.load() : null;
  }

  lead(yes: boolean): void {
    this.now?.lead(yes);
    if (yes) void this.any().catch(() => {});
  }

  /** What a program calls. */
  readonly hooks = {
    await: (stream: string, entry: string): void => void this.load().then((data) => data.awaited.add(stream, entry)).catch(() => {}),
    stands: (name: string, status: string): void => this.now?.loop.told(name, status),
    turn: (op: number, name: string, hold: boolean, fetch: boolean): void => {
      const seat = this.#owner.seat();
      if (!seat) return;
      void this.load().then((data) => data.turn(seat, op, name, hold, fetch), (e: unknown) => {
        if (seat.runtime.live) seat.host.worked(seat.handle, op, 0, 0, 0, 1, "", false, 0, problemOf(failureOf(e)), true, 0, 0);
      });
    },
  };
}
