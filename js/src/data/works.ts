// What the loop knows of each data stream, beside what is stored, and who waits for that.
import type { Host } from "./kit.js";
import type { Work } from "./work.js";

const firstLimit = 3000; // milliseconds that a first read waits for the server

type SyncError = InstanceType<Host["kit"]["SyncError"]>;

export class Works {
  readonly #host: Host;
  readonly #work = new Map<string, Work>();
  readonly #errors = new WeakMap<object, SyncError>();
  readonly #firsts = new Map<string, (() => void)[]>();

  constructor(host: Host) {
    this.#host = host;
  }

  get all(): Iterable<[string, Work]> {
    return this.#work;
  }

  of(name: string): Work {
    let w = this.#work.get(name);
    if (!w) this.#work.set(name, (w = { state: "starting", reason: null, next: null, lastSynced: null, failure: null }));
    return w;
  }

  /** The leader tells how a stream stands. */
  told(name: string, work: Work): void {
    if (JSON.stringify(this.#work.get(name)) !== JSON.stringify(work)) this.#work.set(name, work);
    if (work.state !== "starting" && work.state !== "syncing") this.release(name);
  }

  /** The error of a failure: the same one as long as that lasts. */
  error(f: Work["failure"]): SyncError | null {
    if (!f) return null;
    let error = this.#errors.get(f);
    if (!error) this.#errors.set(f, (error = this.#errorOf(f)));
    return error;
  }

  #errorOf(f: NonNullable<Work["failure"]>): SyncError {
    return this.#host.kit.errorOf({ code: f.code, message: `${f.code}: ${f.message}`, retryable: !["gone", "exists", "content-type", "forbidden", "upgrade"].includes(f.code) });
  }

  /** Waits for the first turn of a stream that was never fetched, however it ends: what is nowhere but on the server is not "nothing". */
  async first(name: string): Promise<void> {
    const { state } = this.of(name);
    if (!this.#host.url || (state !== "starting" && state !== "syncing")) return;
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

  /** Nobody waits for a stream any more. */
  release(name: string): void {
    for (const go of this.#firsts.get(name) ?? []) go();
    this.#firsts.delete(name);
  }
}
