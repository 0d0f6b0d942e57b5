// The first program of a page that shows rows before: loaded when there is time for it, however often that fails.
import { SyncError } from "../values/errors.js";

const limit = 20_000; // milliseconds that what is written waits for it
const pauses = [1000, 2000, 4000, 8000, 30_000]; // milliseconds between tries

interface Host {
  /** Resolves when there is time. */
  quiet(): Promise<void>;
  /** Loads the program, and opens the database in it. */
  attach(): Promise<void>;
  ended(): boolean;
  /** A try has failed. */
  failed(e: SyncError): void;
  /** It does not come in time. */
  overdue(e: SyncError): void;
}

export class Starting {
  /** Why it has not come in time; it may still. */
  overdue: SyncError | null = null;
  /** Resolves when it is there; rejects where it is waited for no longer. */
  readonly ready: Promise<void>;
  #resolve!: () => void;
  #reject!: (e: SyncError) => void;
  #failed: SyncError | null = null;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    this.ready = new Promise((resolve, reject) => ([this.#resolve, this.#reject] = [resolve, reject]));
    this.ready.catch(() => {}); // who asks is told
  }

  /** Nobody waits any longer. */
  giveUp(why: SyncError): void {
    this.#reject(why);
  }

  /** Loads it, and goes on there; where it can never be, fail is told. */
  async run(goOn: () => Promise<void>, fail: (e: SyncError) => void): Promise<void> {
    await this.#load().then(goOn, fail);
    this.#resolve();
  }

  async #load(): Promise<void> {
    const late = setTimeout(() => {
      this.overdue = this.#failed ?? new SyncError({ code: "wasm", message: "wasm: the program has not come yet", retryable: true });
      this.#reject(this.overdue);
      this.#host.overdue(this.overdue);
    }, limit);
    try {
      await this.#host.quiet();
      for (let tries = 0; !this.#host.ended() && !(await this.#try()); tries++) {
        await new Promise((resolve) => setTimeout(resolve, pauses[Math.min(tries, pauses.length - 1)]));
      }
      this.overdue = null;
    } finally {
      clearTimeout(late);
    }
  }

  async #try(): Promise<boolean> {
    try {
      await this.#host.attach();
      return true;
    } catch (e) {
      this.#failed = e instanceof SyncError ? e : new SyncError({ code: "internal", message: `internal: the runtime cannot be started: ${String(e)}` }, e);
      if (!this.#failed.retryable) throw this.#failed;
      if (!this.#host.ended()) this.#host.failed(this.#failed);
      return false;
    }
  }
}
