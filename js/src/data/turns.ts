// The turns of the data streams: who is due, one request of each in turn, and when it is due again.
import { maxTimer } from "../values/timers.js";
import type { Host } from "./kit.js";
import type { Requests } from "./requests.js";
import type { Store } from "./store.js";
import type { DataStream } from "./stream.js";
import { Failure, failureOf } from "./transport.js";
import type { Hint, Work } from "./work.js";
import type { Works } from "./works.js";

const lateBy = 10_000; // milliseconds that what is pending waits for a leader

/** The data streams of the database, in this context. */
interface Of {
  readonly host: Host;
  readonly store: Store;
  readonly streams: ReadonlyMap<string, DataStream>;
  /** What is open, in which contexts. */
  readonly wanted: ReadonlyMap<string, unknown>;
  leads(): boolean;
  frozen(): boolean;
  closed(): boolean;
}

export class Turns {
  readonly #of: Of;
  readonly #works: Works;
  readonly #requests: Requests;
  readonly #due = new Set<string>();
  readonly #failed = new Map<string, Failure>(); // what could not be sent, while pages are fetched
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #running: Promise<void> | null = null;

  constructor(of: Of, works: Works, requests: Requests) {
    this.#of = of;
    this.#works = works;
    this.#requests = requests;
  }

  /** Something may have to be done for a stream. A context that does not lead leaves it to the one that does, for a while. */
  wake(name: string, because: string): void {
    if (this.#of.closed() || !this.#of.host.url) return;
    if (!this.#of.leads()) {
      if (because === "write") {
        this.#of.host.tell({ data: "wake", name } satisfies Hint);
        if (!this.#timers.has(name)) this.#later(name, lateBy, "late"); // from the first write on that waits
      }
      if (because !== "late") return;
    }
    this.#due.add(name);
    void this.#run();
  }

  wakeAll(because: string): void {
    if (this.#of.frozen() || globalThis.document?.visibilityState === "hidden") return;
    for (const name of new Set([...this.#of.wanted.keys(), ...this.#timers.keys()])) this.wake(name, because);
  }

  /** The browser says that it has no network: the leader shows that at once, and looks, since browsers are wrong at times. */
  offline(): void {
    if (!this.#of.leads()) return;
    for (const [name, w] of this.#works.all) {
      if (w.state !== "live") continue;
      w.state = "offline";
      this.#plan(name, w, this.#of.host.retry, "offline");
      this.changed(name, true);
    }
  }

  #later(name: string, ms: number, because: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        if (because !== "late" || (this.#of.streams.get(name)?.status.pending ?? 0) > 0) this.wake(name, because);
      }, Math.min(ms, maxTimer)),
    );
  }

  #run(): Promise<void> {
    return (this.#running ??= (async () => {
      for (let name: string | undefined; !this.#of.closed() && !this.#of.frozen() && (name = this.#due.values().next().value) !== undefined; ) {
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
    const w = this.#works.of(name);
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    if (w.state !== "syncing") {
      w.state = "syncing";
      w.next = null;
      this.changed(name, false);
    }
    try {
      // One request is a turn, so that a large entry keeps no other stream waiting. Who may not write may read; and what is read says what the stream is.
      const sent = this.#failed.get(name) ?? (await this.#tryPush(name));
      this.#failed.delete(name);
      if (sent === true || (this.#of.wanted.has(name) && (await this.#requests.pull(name)))) {
        if (sent instanceof Failure) this.#failed.set(name, sent); // not again for each page
        this.#due.add(name); // behind the others
        return;
      }
      const again = sent && /^(content-type|exists)$/.test(sent.code) ? await this.#tryPush(name) : sent;
      if (again instanceof Failure) throw again;
      const s = await this.#requests.stored(name);
      if (!s.gone && (await this.#requests.queued(s)) > 0) this.#due.add(name); // written meanwhile
      Object.assign(w, { state: s.gone ? "stopped" : "live", reason: s.gone ? "gone" : null, lastSynced: Date.now(), failure: s.gone ? { code: "gone", message: "the data stream was deleted" } : null });
      if (!s.gone) this.#plan(name, w, this.#of.host.idle, "idle");
    } catch (e) {
      if (this.#of.closed()) return;
      const f = e instanceof Failure ? e : failureOf(e);
      const stops = f.code === "forbidden" || f.code === "upgrade" ? f.code : f.code === "exists" || f.code === "content-type" ? "exists" : null;
      w.failure = { code: f.code, message: f.message };
      w.state = stops ? "stopped" : f.code === "unauthorized" ? "held" : f.code === "unreachable" ? "offline" : "waiting";
      w.reason = stops;
      const jitter = 0.9 + Math.random() / 5;
      this.#plan(name, w, stops ? this.#of.host.idle : Math.max(this.#of.host.retry * jitter, f.wait), stops ? "idle" : "retry");
      if (f.code === "internal") this.#of.host.log("error", f.code, f.message, f.cause);
    }
    this.changed(name, true);
  }

  /** Makes a request of what is queued: true where more may be, false where nothing is; what failed is given back. */
  async #tryPush(name: string): Promise<boolean | Failure> {
    try {
      return await this.#requests.push(name);
    } catch (e) {
      if (this.#of.closed()) throw e;
      return e instanceof Failure ? e : failureOf(e);
    }
  }

  #plan(name: string, w: Work, ms: number, because: string): void {
    if (!this.#of.leads()) {
      if (because !== "idle") this.#later(name, Math.max(ms, lateBy), "late");
      return;
    }
    w.next = { at: Date.now() + ms, because };
    this.#later(name, ms, because);
  }

  /** Runs the loop here and now, for all that is open; the first failure is thrown. */
  sync(): Promise<void> {
    return this.#runNow([...this.#of.streams.keys()]);
  }

  /** Sends what any context has queued, of all streams, here and now; the first failure is thrown. */
  async drain(): Promise<void> {
    const names: string[] = [];
    for (const s of await this.#requests.all()) if (await this.#requests.queued(s)) names.push(s.name);
    await this.#runNow(names);
  }

  async #runNow(names: string[]): Promise<void> {
    for (const name of names) this.#due.add(name);
    do await this.#run();
    while (this.#due.size > 0 && !this.#of.closed() && !this.#of.frozen());
    for (const name of names) {
      const { failure } = this.#works.of(name);
      if (failure) throw this.#works.error(failure)!;
    }
  }

  changed(name: string, tell: boolean): void {
    const { state } = this.#works.of(name);
    if (state !== "starting" && state !== "syncing") this.#works.release(name);
    if (tell) this.#of.host.tell({ data: "changed", name, work: this.#works.of(name) } satisfies Hint);
    void this.#of.streams.get(name)?.refresh();
    this.#of.host.statusChanged();
  }

  // ---- wake-ups from the server

  /** Says what the leader hears of: all streams that contexts have open. */
  #listen(): void {
    if (!this.#of.leads() || this.#of.frozen() || this.#of.closed()) return;
    const names = [...this.#of.wanted.keys()].filter((name) => this.#works.of(name).state === "live").sort();
    this.#of.host.listenFor(names);
  }

  /**
   * The end of a stream is there now, "" where it is not on the server: as the connection says when it begins, and whenever that changes.
   * Without a name there is no connection: what is shown as live may not be.
   */
  async moved(name: string, offset: string): Promise<void> {
    if (name === "") {
      for (const [name, w] of this.#works.all) if (w.state === "live") this.wake(name, "deaf");
      return;
    }
    const s = await this.#requests.stored(name).catch(() => null);
    if (s && (s.offset !== offset || s.gone)) this.wake(name, "push");
  }

  /** Nothing is due any more. Resolves when what was under way has ended. */
  async end(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#running?.catch(() => {});
  }
}
