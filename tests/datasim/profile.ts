// A browser profile of a simulation: what it keeps, and its contexts.
import type { Chance, Server, Time } from "./world.js";
import { Memory } from "../../js/src/data/memory.js";
import type { Host, Worked } from "../../js/src/data/kit.js";
import { unheard, type Name, type Tx } from "../../js/src/data/store.js";
import { DataSync } from "../../js/src/data/sync.js";
import type { DataStream } from "../../js/src/data/stream.js";
import { Failure, failureOf, problemOf } from "../../js/src/server/failure.js";
import { pieces, problem, stranger, waitAsked, type Asked } from "../../js/src/server/transport.js";
import { ClosedError, errorOf, invalid, RejectedError, SyncError } from "../../js/src/values/errors.js";
import { Events } from "../../js/src/values/events.js";
import { check } from "../../js/src/values/json.js";
import { Life } from "../../js/src/values/life.js";
import { LiveValue, Signal } from "../../js/src/values/live.js";
import { Users } from "../../js/src/values/users.js";
import { begin } from "../../js/src/values/write.js";

const kit = {
  SyncError, RejectedError, ClosedError, errorOf, invalid, Events, Life, LiveValue, Signal, Users, begin, check,
  Failure, failureOf, problemOf, problem, stranger, pieces, waitAsked,
};

export const fates = ["lostBefore", "lostAfter", "doubled", "late", "half", "portal", "deny", "busy", "tooLarge", "internal"] as const;
export const diskFaults = ["quota", "failsBefore", "unheardDone", "unheardNotDone"] as const;

/** What happens in a history, and how often that was met. */
export interface Faults {
  calm: boolean;
  network: number; // share of the requests
  disk: number; // share of the transactions
  readonly met: Map<string, number>;
}

export interface Sim {
  readonly time: Time;
  readonly chance: Chance;
  readonly server: Server;
  readonly faults: Faults;
  id(): string;
  say(...what: unknown[]): void;
}

const never = new Promise<never>(() => {});
const meet = (sim: Sim, what: string) => sim.faults.met.set(what, (sim.faults.met.get(what) ?? 0) + 1);

export class Profile {
  readonly contexts: Context[] = [];
  disk = new Memory();

  constructor(
    readonly sim: Sim,
    readonly name: string,
  ) {}

  context(): Context {
    const c = new Context(this);
    this.contexts.push(c);
    return c;
  }

  /** Another profile that holds the same. */
  async copy(name: string): Promise<Profile> {
    const other = new Profile(this.sim, name);
    const rows = new Map<Name, [IDBValidKey, unknown][]>();
    await this.disk.run(async (tx) => {
      for (const store of ["streams", "queue", "rejected", "blocks"] as const) rows.set(store, (await tx.all(store, null)).map((row) => [0, row]));
    });
    await other.disk.run(async (tx) => {
      for (const [store, all] of rows) for (const [, row] of all) tx.put(store, row);
    });
    return other;
  }
}

/** One tab of a profile. */
export class Context {
  readonly data: DataSync;
  readonly open = new Map<string, DataStream>();
  dead = false;
  busy = false; // a turn is under way
  readonly #held = new Set<string>(); // streams whose queue waits until pages are fetched

  constructor(readonly profile: Profile) {
    const { sim } = profile;
    const loop = { data: (_: number, __: string, ___: boolean, done: (e: null, id: number) => void) => done(null, 1), closeData() {}, queued() {}, worked() {}, gone() {}, entryDurable() {} };
    const host: Host = {
      kit: kit as Host["kit"],
      shared: profile.name,
      transport: { url: "sim:", ask: (path: string, asked: Asked, read: (r: Response, alive: () => void) => Promise<unknown>) => this.#ask(path, asked, read) } as never,
      seat: () => ({ handle: 1, runtime: { live: !this.dead }, host: loop }),
      durability: "relaxed",
      durable: () => true,
      memory: false,
      disk: { run: (body) => this.#run(body) },
      frame: () => null, healed: async () => false,
      newID: () => sim.id(),
      log: (_level, code, message, cause) => {
        if ((code === "internal" && cause !== undefined) || code === "listener") throw new Error(`${code}: ${message}`, { cause });
      },
      tell: (message) => this.#tell(message),
      statusChanged: () => {},
    };
    this.data = new DataSync(host);
  }

  kill(): void {
    this.dead = true;
    const { contexts } = this.profile;
    contexts.splice(contexts.indexOf(this), 1);
  }

  #tell(message: object): void {
    if (this.dead) return;
    for (const other of this.profile.contexts) {
      if (other !== this) this.profile.sim.time.after(1 + this.profile.sim.chance.below(5), () => !other.dead && other.data.hear(structuredClone(message)));
    }
  }

  /** A transaction: of a context that dies in it nothing is kept, and to one that dies after it nobody tells that it was. */
  async #run<T>(body: (tx: Tx) => Promise<T>): Promise<T> {
    const { sim, disk } = this.profile;
    sim.time.stirred++;
    if (this.dead) return never;
    const fault = !sim.faults.calm && sim.chance.next() < sim.faults.disk ? sim.chance.one(diskFaults) : null;
    if (fault) meet(sim, fault);
    const done = disk.run(async (tx) => {
      const value = await body(tx);
      if (this.dead) throw new Error("killed");
      if (fault === "quota") throw new DOMException("the disk is full", "QuotaExceededError");
      if (fault === "failsBefore") throw new DOMException("the disk has failed", "UnknownError");
      if (fault === "unheardNotDone") throw unheard;
      return value;
    });
    try {
      const value = await done;
      sim.time.stirred++;
      if (this.dead) return never;
      if (fault === "unheardDone") throw unheard;
      return value;
    } catch (e) {
      sim.time.stirred++;
      if (this.dead) return never;
      throw e;
    }
  }

  async #ask<T>(path: string, asked: Asked, read: (r: Response, alive: () => void) => Promise<T>): Promise<T> {
    const { sim } = this.profile, { chance, faults, time, server } = sim;
    const fate = !faults.calm && chance.next() < faults.network ? chance.one(fates) : null;
    if (fate) meet(sim, fate);
    const body = asked.body instanceof Blob ? new Uint8Array(await asked.body.arrayBuffer()) : new Uint8Array();
    const request = () => server.ask(asked.method ?? "GET", path, { "Strandline-Version": "1", ...asked.headers }, body);
    await time.sleep(chance.below(200));
    if (this.dead && chance.next() < 0.5) return never; // it never left
    const unreachable = new Failure("unreachable", "no route");
    const plain = (status: number, kind: string, text: string) => read(new Response(text, { status, headers: { "Content-Type": kind } }), () => {});
    switch (fate) {
      case "lostBefore":
        throw unreachable;
      case "portal":
        return plain(200, "text/html", "<html>Please sign in");
      case "deny":
        throw new Failure("unauthorized", "the server wants another token");
      case "busy":
        return plain(503, "application/problem+json", `{"code":"unavailable","status":503}`);
      case "internal":
        return plain(500, "application/problem+json", `{"code":"internal","status":500}`);
      case "tooLarge":
        if (body.length > 300) return plain(413, "text/html", "<html>413");
        break;
      case "late":
        time.after(chance.below(30_000), () => void request());
        throw unreachable;
      case "doubled":
        await request();
    }
    const a = await request();
    await time.sleep(chance.below(200));
    if (this.dead) return never;
    if (fate === "lostAfter") throw unreachable;
    const bytes = Buffer.from(a.body ?? "", "base64");
    const empty = a.status === 204 || a.status === 304;
    if (fate === "half" && bytes.length > 1) throw unreachable; // the body breaks off
    const told = await read(new Response(empty ? null : bytes, { status: a.status, headers: a.headers }), () => {});
    time.stirred++;
    return told;
  }

  /** One turn, as the loop gives it. */
  async turn(name: string): Promise<Worked | null> {
    if (this.busy || this.dead) return null;
    this.busy = true;
    let worked: Worked | null = null;
    const seat = {
      handle: 1, runtime: { live: true },
      host: { worked: (_db: number, _op: number, sent: number, fetched: number, refused: number, pending: number, offset: string, more: boolean, wait: number, p: { code: string; message: string } | null, alone: boolean) => {
        worked = { sent, fetched, refused, pending, offset, more, failure: p && new Failure(p.code, p.message, wait), alone };
      } },
    };
    await this.data.turn(seat as never, 1, name, this.#held.has(name), this.open.has(name));
    this.busy = false;
    const w = worked as Worked | null;
    if (!w) throw new Error("a turn has not said how it ended");
    const { failure, more } = w;
    if (failure && more && (w.alone || !/^(unreachable|timeout|unauthorized)$/.test(failure.code))) this.#held.add(name);
    else if (!more) this.#held.delete(name);
    return w;
  }
}
