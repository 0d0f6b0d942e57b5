// A database in its programs: the first one, and those that take its place.
import { append } from "../../../idbstore/append.js";
import { reopen } from "./reopening.js";
import { Seat } from "./seat.js";
import type { Boot } from "../boot/boot.js";
import type { Leader } from "../contexts/leader.js";
import { frameFactory } from "../program/frame.js";
import { heal } from "../program/heal.js";
import { Requests } from "../server/requests.js";
import type { Auth } from "../server/token.js";
import type { Transport } from "../server/transport.js";
import { load, spare } from "../program/loading.js";
import type { Runtime, RuntimeUser, WakeUp } from "../program/runtime.js";
import { Starting } from "../program/starting.js";
import type { Stream } from "../streams/stream.js";
import { errorOf, RestartedError, SyncError, type Problem } from "../values/errors.js";
import type { Life } from "../values/life.js";
import type { LogEntry, OpenOptions } from "../values/options.js";
import { maxTimer } from "../values/timers.js";

const maxRestarts = 3; // in a minute: what stops again and again would only do harm
const broken = (message: string, cause: unknown) => new SyncError({ code: "internal", message: `internal: ${message}` }, cause);

/** How a database was opened. */
export interface Opening extends OpenOptions {
  /** Of the server's /v1; "" for none. */
  readonly url: string;
  /** The name that its contexts share. */
  readonly shared: string;
  /** Whether this context may lead. */
  readonly candidate: boolean;
}

/** The database. */
interface Of extends RuntimeUser {
  readonly life: Life;
  readonly options: Opening;
  readonly leader: Leader;
  /** Whether what is committed is kept by this browser. */
  readonly durable: boolean;
  readonly transport: Transport;
  /** What a program tells. */
  readonly hooks: object;
  streams(): Stream[];
  /** The database was opened: the one of that id, or, for that reason, one in memory. */
  opened(life: string, why: Problem | null): void;
  /** The first program is there. */
  begun(): void;
  /** What is in the memory of this context nobody else sees. */
  alone(): void;
  /** Another program is there: what it is to know. */
  resumed(): void;
  /** So many writes were in the memory of a program only, and are gone with it. */
  lostInMemory(unsent: number): void;
  statusChanged(): void;
  log(entry: LogEntry): void;
  end(error: SyncError): void;
}

export class Programs {
  /** Its place in the program of now. */
  seat: Seat | null = null;
  /** What is read before there is a program. */
  boot: Boot | null = null;
  readonly #of: Of;
  #starting: Starting | null = null; // the first one
  #restarts: number[] = []; // when
  #requests = () => {}; // ends those of the program of now

  constructor(of: Of) {
    this.#of = of;
  }

  get transport(): Transport {
    return this.#of.transport;
  }

  /** Opens the database in the first program. */
  async begin(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attach(await load(this.#of.options.wasm));
      } catch (e) {
        if (!(e instanceof RestartedError) || tries > maxRestarts) throw e; // another database of the page may have had it replaced
      }
    }
  }

  /** Begins with what is stored: the first program is loaded when the rows are there that are asked for at once. */
  beginWith(boot: Boot): void {
    this.boot = boot;
    const first = (this.#starting = new Starting({
      quiet: () => boot.quiet(),
      attach: () => this.#load(),
      ended: () => this.#of.life.ended,
      failed: (e) => {
        this.#failed(e);
        this.#of.statusChanged();
      },
      overdue: (e) => this.#of.streams().forEach((stream) => stream.overdue(e)),
    }));
    void first.run(() => this.#goOn(() => this.#of.begun()), (e) => this.#fail(e)).then(() => {
      boot.close();
      this.#starting = this.boot = null;
    });
  }

  /** Resolves when there is a program, however often it is started again; rejects where the first one does not come in time. */
  async up(): Promise<void> {
    await this.#starting?.ready;
    await this.#of.life.up();
  }

  async #load(): Promise<void> {
    const runtime = await load(this.#of.options.wasm);
    if (!this.#of.life.ended) await this.#attach(runtime);
  }

  /** Opens the database in a program. */
  #attach(runtime: Runtime): Promise<void> {
    const o = this.#of.options;
    const timer = (ms = 0) => Math.min(ms, maxTimer);
    const options = {
      name: o.name, user: o.user ?? "", url: o.url, strict: o.durability === "strict", retry: timer(o.timers?.retry), idle: timer(o.timers?.idle), schema: o.schemaVersion ?? 0,
      elect: !this.#of.leader.leads || this.#of.leader.candidate,
      memory: o.candidate && o.url !== "", storage: o.storage ?? "indexeddb",
    };
    const slot = options.elect ? this.#of.leader.slot : null;
    let there = -1;
    const tell = (f: (host: Runtime["host"]) => void) => runtime.live && f(runtime.host);
    const requests = new Requests(this.#of.transport, `${o.url} ${o.auth ? sharers(o.auth, o.shared) : ""}`, {
      answered: (op, body, wait, problem, { status, bytes }) => tell((host) => host.answered(there, op, body, wait, problem, status, bytes)),
      hinted: (op, ...hint) => tell((host) => host.hinted(there, op, ...hint)),
      hintsEnded: (op, problem) => tell((host) => host.hintsEnded(there, op, problem)),
    });
    const hooks = {
      ...this.#of.hooks, slot, append, frame: frameFactory, heal: (name: string, done: (yes: boolean) => void) => void heal(name).then(done), steal: () => this.#of.leader.steal(),
      request: (op: number, path: string, body: Uint8Array | null, kind: string, first: number, next: number, have: Uint8Array, sum: string) =>
        requests.make(op, path, body, kind, { first, next }, have, sum),
      abort: (op: number) => requests.abort(op),
      listen: (op: number, about: Uint8Array | null) => requests.listen(op, about),
    };
    return new Promise((resolve, reject) => {
      runtime.alive();
      runtime.onDeath.add(reject);
      runtime.onDeath.add((this.#requests = () => requests.end()));
      runtime.host.open(options, hooks, (problem, handle, life, why) => {
        there = handle;
        runtime.onDeath.delete(reject);
        if (problem) return reject(errorOf(problem));
        this.seat = new Seat(runtime, handle);
        if (this.#of.life.ended) return resolve();
        runtime.onDeath.add(this.#dead);
        runtime.join(this.#of);
        this.#of.opened(life, why);
        resolve();
      });
    });
  }

  readonly #dead = (e: SyncError): void => {
    if (this.#of.life.ended) return;
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((at) => at > now - 60_000), now];
    this.#failed(e);
    if (!this.#of.durable) this.#of.lostInMemory(this.#of.streams().reduce((n, s) => n + s.unsent, 0)); // what was in its memory only
    for (const stream of this.#of.streams()) stream.detach(e);
    if (!this.#of.life.lives) return this.#of.end(this.#of.life.why!); // it was about to
    this.#of.life.turn("restarting", e);
    this.#of.leader.releaseSlots();
    if (this.#restarts.length > maxRestarts) return this.#of.end(broken(`the runtime stops again and again: ${e.message}`, e));
    void this.#goOn(async () => {
      await new Promise((resolve) => setTimeout(resolve)); // it may have died of an exhausted stack
      await this.#load();
      if (!this.#of.life.ended && !this.#of.durable) this.#of.alone();
    });
  };

  /** Goes on in a program that begin has loaded, or takes up. */
  async #goOn(begin: () => void | Promise<void>): Promise<void> {
    const { why } = this.#of.life;
    try {
      await begin();
      if (!this.#of.life.ended) await this.#resume(why);
      if (this.#of.life.ended) this.seat?.leave();
    } catch (e) {
      if (this.#of.life.why !== why || this.#of.life.ended) return; // it has died again, and is being started again
      if (e instanceof RestartedError) this.#dead(e);
      else this.#fail(e instanceof SyncError ? e : broken(`the runtime cannot be started again: ${String(e)}`, e));
    }
  }

  /** Ends the database since it cannot go on. */
  #fail(e: SyncError): void {
    if (!this.#of.life.ended) this.#failed(e);
    this.#of.end(e);
  }

  #failed(e: SyncError): void {
    this.#of.log({ level: "error", code: e.code, message: e.message, cause: e.cause });
  }

  /** Why the first program has not come in time. */
  get overdue(): SyncError | null {
    return this.#starting?.overdue ?? null;
  }

  /** Opens in a program what is open here. */
  async #resume(why: SyncError | null): Promise<void> {
    const { leads, frozen } = this.#of.leader, { runtime, handle } = this.seat!;
    this.#place(false);
    const host = { ended: () => this.#of.life.ended, failed: (e: LogEntry) => this.#of.log(e) };
    const there = new Set<Stream>(), calls: (() => void)[] = [];
    for (let left = this.#of.streams(); left.length > 0; left = this.#of.streams().filter((s) => !there.has(s))) {
      for (const stream of left) there.add(stream); // more may come meanwhile
      calls.push(...(await Promise.all(left.map((s) => reopen(runtime, handle, s, host)))).flat());
    }
    if (this.#of.life.ended || this.#of.life.why !== why) return;
    this.#of.life.turn("open");
    this.#of.resumed();
    if (this.#of.leader.leads !== leads || this.#of.leader.frozen !== frozen) this.#place(true);
    for (const call of calls) call();
    this.#of.statusChanged();
  }

  /** Tells the core whether the page is frozen, and whether it leads. */
  #place(again: boolean): void {
    const { host, handle } = this.seat!;
    if (this.#of.leader.frozen) host.freeze(handle, true);
    else if (again) host.freeze(handle, false); // it was, when the program was started
    host.lead(handle, this.#of.leader.leads);
  }

  /** A program whose memory has grown beyond what it needs is replaced while nothing is under way, by one that is there already. */
  beat(): void {
    const wasteful = () => {
      const runtime = this.seat?.runtime;
      return runtime && this.#of.life.state === "open" && runtime.memory.wasted && ![...runtime.users].some((user) => user.busy) ? runtime : null;
    };
    const old = wasteful();
    if (!old) return;
    spare(this.#of.options.wasm).then((next) => {
      const runtime = wasteful();
      if (!runtime) return old.live ? next.end() : undefined; // or another database has had it replaced
      for (const user of runtime.users) user.take();
      runtime.end(new RestartedError({ code: "restarted", message: `restarted: the memory had grown to ${runtime.border.size >> 20} MiB`, retryable: true }));
    }, (e: SyncError) => this.#of.log({ level: "warn", code: e.code, message: e.message, cause: e }));
  }

  /** Calls the program, where it can be called. */
  call(f: (seat: Seat) => void): void {
    if (this.#of.life.state === "open") f(this.seat!);
  }

  /** Has the loop run now. */
  sync(): Promise<void> {
    return this.ask((seat, resolve, reject) => seat.host.sync(seat.handle, answer(resolve, reject)));
  }

  /** The streams that have a local log. */
  names(): Promise<string[]> {
    return this.ask((seat, resolve, reject) => seat.host.streams(seat.handle, (problem, names) => (problem ? reject(errorOf(problem)) : resolve(names))));
  }

  /** The last turns that the loop made in this program, oldest first. */
  trace(): WakeUp[] {
    const turns: WakeUp[] = [];
    this.seat!.host.trace(this.seat!.handle, (turn) => turns.push(turn));
    return turns;
  }

  /** Asks the program, and those that take its place until one has answered. */
  async ask<T>(call: (seat: Seat, resolve: (value: T) => void, reject: (e: unknown) => void) => void): Promise<T> {
    for (;;) {
      if (this.#of.life.state !== "open") await this.up();
      try {
        return await this.askOnce(call);
      } catch (e) {
        if (!(e instanceof RestartedError) || !this.#of.life.lives) throw e;
      }
    }
  }

  /** Asks the program of now. */
  askOnce<T>(call: (seat: Seat, resolve: (value: T) => void, reject: (e: unknown) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const seat = this.seat!, { onDeath } = seat.runtime;
      seat.runtime.alive();
      onDeath.add(reject);
      const over = <V>(f: (value: V) => void) => (value: V) => {
        onDeath.delete(reject);
        f(value);
      };
      call(seat, over(resolve), over(reject));
    });
  }

  /** The database has ended. */
  end(why: SyncError): void {
    this.#starting?.giveUp(why);
    this.boot?.close();
    this.#requests();
    this.seat?.runtime.onDeath.delete(this.#requests);
    this.seat?.leave();
    this.seat?.runtime.onDeath.delete(this.#dead);
    this.seat?.runtime.leave(this.#of);
  }
}

const first = new WeakMap<Auth, string>();

/** Who shares a connection for hints: those that give the same tokens, named by the first of them. */
function sharers(auth: Auth, shared: string): string {
  if (!first.has(auth)) first.set(auth, shared);
  return first.get(auth)!;
}

/** What is called with an answer. */
export const answer = (resolve: () => void, reject: (e: unknown) => void) => (problem: Problem | null) => (problem ? reject(errorOf(problem)) : resolve());
