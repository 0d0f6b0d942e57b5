// Histories of data streams: main SEED N TRACE. What is found is said on standard error; standard output is the way to the server.
import { fates, diskFaults, Profile, type Context, type Faults, type Sim } from "./profile.js";
import { Chance, Server, Time } from "./world.js";
import type { DataStream } from "../../js/src/data/stream.js";
import type { Write } from "../../js/src/values/write.js";

const streams = { "log/a": "application/json", "log/b": "application/json", bin: "application/octet-stream" } as const;
type Name = keyof typeof streams;
const names = Object.keys(streams) as Name[];

/** One append. */
interface Entry {
  readonly name: Name;
  readonly by: string;
  readonly n: number;
  readonly of: Context;
  readonly write: Write<undefined>;
  kept: boolean | string | null; // or the code of the error
  fate: number | string | null; // its index, or the code of the error
  dealt: boolean; // it was refused, and discarded or tried again
  gone: boolean; // it was in a log that was deleted
}

const tag = (e: { by: string; n: number }) => `${e.by}:${e.n}`;
let time: Time;
const server = new Server(() => time);
const met = new Map<string, number>();
const [, , first = "0", many = "1", tracing = "false"] = process.argv;

/** What a log on the server holds. */
async function logOf(name: Name): Promise<string[]> {
  const out: string[] = [];
  for (let from = "-1"; ; ) {
    const a = await server.ask("GET", `/data/${name}?offset=${from}`);
    if (a.status >= 400) return out;
    const text = Buffer.from(a.body ?? "", "base64").toString();
    if (streams[name] === "application/json") for (const e of JSON.parse(text) as { by: string; n: number }[]) out.push(tag(e));
    else for (const m of text.matchAll(/(\w+:\d+);x*/g)) out.push(m[1]!);
    if (a.headers["Stream-Up-To-Date"] === "true") return out;
    from = a.headers["Stream-Next-Offset"]!;
  }
}

const valueTag = (value: unknown): string => (value instanceof Uint8Array ? new TextDecoder().decode(value).split(";")[0]! : tag(value as { by: string; n: number }));

class History {
  readonly chance: Chance;
  readonly faults: Faults;
  readonly sim: Sim;
  readonly profiles: Profile[] = [];
  readonly entries: Entry[] = [];
  readonly foreign = new Map<Name, number>();
  readonly deleted = new Set<Name>();
  readonly closed = new Set<Name>();
  readonly wrong: string[] = [];
  #serial = 0;
  #ids = 0;

  constructor(
    readonly seed: number,
    trace: boolean,
  ) {
    this.chance = new Chance(seed);
    time = new Time();
    time.install();
    this.faults = { calm: false, network: this.chance.next() * 0.5, disk: this.chance.below(3) === 0 ? this.chance.next() * 0.1 : 0, met };
    this.sim = {
      time, server, chance: this.chance, faults: this.faults,
      id: () => `${(++this.#ids).toString(16).padStart(8, "0")}-${this.chance.below(65536).toString(16).padStart(4, "0")}-7000-8000-${seed.toString(16).padStart(12, "0")}`,
      say: (...what) => trace && console.error(time.now % 1_000_000, ...what),
    };
  }

  get contexts(): Context[] {
    return this.profiles.flatMap((p) => p.contexts);
  }

  async run(): Promise<void> {
    await server.restart(true);
    for (let i = 0; i <= this.chance.below(2); i++) this.profiles.push(new Profile(this.sim, `p${i}`));
    for (const p of this.profiles) p.context();
    const steps = 30 + this.chance.below(60), rare = this.chance.below(4) === 0;
    for (let i = 0; i < steps; i++) {
      await this.step(rare);
      await time.run(this.chance.below(this.chance.below(10) === 0 ? 20_000 : 400));
    }
    await this.calm();
    await this.check();
  }

  async step(rare: boolean): Promise<void> {
    const { chance } = this, c = chance.one(this.contexts), name = chance.one(names), stream = c.open.get(name);
    const what = chance.below(rare ? 105 : 100);
    if (what < 45) return stream ? this.append(c, name, stream) : this.openStream(c, name);
    if (what < 80) return this.turn(c, stream ? name : chance.one(names));
    if (what < 84) return this.more(c);
    if (what < 88) return this.end(c);
    if (what < 90) return this.close(c, name, stream);
    if (what < 94) return this.deal(c, name, stream);
    if (what < 97) return this.other(name);
    if (what < 100) {
      meet("server restarted");
      await server.restart(false);
      return;
    }
    if (what < 101 && this.profiles.length < 3) {
      meet("profile copied");
      const copy = await c.profile.copy(`q${this.seed}.${this.profiles.length}`);
      this.profiles.push(copy);
      copy.context();
      return;
    }
    if (what < 103) return this.delete(name);
    if (what < 104 && !this.closed.has(name)) {
      meet("closed on the server");
      this.closed.add(name);
      await server.ask("POST", `/data/${name}`, { "Content-Type": streams[name], "Stream-Closed": "true" });
    }
  }

  openStream(c: Context, name: Name): void {
    const opened = c.data.open(name, this.chance.below(3) === 0 ? { contentType: streams[name], keep: { entries: 5 } } : { contentType: streams[name], keep: "all" });
    opened.then((d) => c.open.set(name, d), (e: { code?: string }) => this.sim.say("open failed", e.code ?? e));
  }

  append(c: Context, name: Name, stream: DataStream): void {
    for (let i = 0; i <= this.chance.below(4); i++) {
      const by = `${c.profile.name.replaceAll(".", "x")}c${c.profile.contexts.indexOf(c)}s${this.#serialOf(c)}`, n = this.#serial++;
      const bad = this.chance.below(20) === 0; // the server refuses it
      const value = streams[name] === "application/json" ? { by, n, pad: "x".repeat(this.chance.below(300)), ...(bad ? { bad } : {}) } : new TextEncoder().encode(`${by}:${n};${"x".repeat(this.chance.below(6000))}`);
      const write = stream.append(value) as Write<undefined>;
      const e: Entry = { name, by, n, of: c, write, kept: null, fate: null, dealt: false, gone: false };
      this.entries.push(e);
      write.then(() => (e.kept = true), (x: { code?: string }) => (e.kept = x.code ?? String(x)));
      write.persisted.then((index) => (e.fate = index), (x: { code?: string }) => (e.fate = x.code ?? String(x)));
      this.sim.say("append", name, tag(e));
    }
  }

  readonly #serials = new Map<Context, number>();
  #serialOf(c: Context): number {
    if (!this.#serials.has(c)) this.#serials.set(c, this.#serials.size);
    return this.#serials.get(c)!;
  }

  turn(c: Context, name: Name): void {
    void c.turn(name).then((w) => {
      this.sim.say("turn", name, w?.sent, w?.fetched, w?.refused, w?.failure?.code ?? "", w?.more);
      if (w?.more && this.chance.below(4) > 0) this.turn(c, name);
    }, (e: Error) => this.wrong.push(`a turn of ${name} has failed: ${e.stack}`));
  }

  more(c: Context): void {
    if (c.profile.contexts.length < 3) c.profile.context();
  }

  end(c: Context): void {
    if (c.profile.contexts.length < 2) c.profile.context();
    meet("context killed");
    this.sim.say("kill");
    c.kill();
  }

  close(c: Context, name: Name, stream: DataStream | undefined): void {
    c.open.delete(name);
    void stream?.close();
  }

  deal(c: Context, name: Name, stream: DataStream | undefined): void {
    const [refused] = stream?.rejected() ?? [];
    if (!stream || !refused) return;
    const of = valueTag(refused.value), e = this.entries.find((e) => e.name === name && tag(e) === of);
    if (!e) return;
    e.dealt = true;
    meet("refused and dealt with");
    void (this.chance.below(2) === 0 ? stream.discard(refused.id) : stream.retry(refused.id)).catch(() => {});
  }

  async other(name: Name): Promise<void> {
    if (streams[name] !== "application/json") return;
    const n = this.foreign.get(name) ?? 0;
    const a = await server.ask("POST", `/data/${name}`, { "Content-Type": streams[name] }, new TextEncoder().encode(`[{"by":"f","n":${n}}]`));
    if (a.status < 300) this.foreign.set(name, n + 1);
  }

  async delete(name: Name): Promise<void> {
    const had = new Set(await logOf(name));
    const a = await server.ask("DELETE", `/data/${name}`);
    if (a.status >= 300) return;
    meet("deleted on the server");
    this.sim.say("delete", name);
    this.deleted.add(name);
    this.closed.delete(name);
    this.foreign.delete(name);
    for (const e of this.entries) if (e.name === name && had.has(tag(e))) e.gone = true;
  }

  /** The faults end: all that is queued is sent, all that is open is fetched. */
  async calm(): Promise<void> {
    this.faults.calm = true;
    await time.run(60_000);
    for (const c of this.contexts) {
      for (const name of names) {
        if (!c.open.has(name)) this.openStream(c, name);
      }
      await time.run(2000);
      for (const name of names) if (!c.open.has(name)) this.wrong.push(`${name} cannot be opened`);
    }
    for (let round = 0, quiet = 0; quiet < 2; round++) {
      if (round === 300) {
        this.wrong.push("it goes on for ever");
        break;
      }
      let idle = true;
      for (const c of this.contexts) {
        for (const name of names) {
          let ended = false;
          void c.turn(name).then((w) => {
            ended = true;
            if (w?.failure?.code === "gone") void c.open.get(name)?.restart().catch(() => {});
            else if (w?.failure && !/^(exists|content-type)$/.test(w.failure.code)) this.wrong.push(`${name}: ${w.failure.code} ${w.failure.message} ${String((w.failure.cause as Error)?.stack ?? "")}`);
            if (w && (w.more || w.failure?.code === "gone")) idle = false;
          }, (e: Error) => this.wrong.push(`a turn of ${name} has failed: ${e.stack}`));
          await time.run(1000);
          if (!ended) {
            idle = false;
            await time.run(60_000);
          }
        }
      }
      quiet = idle ? quiet + 1 : 0;
      if (this.wrong.length > 0) return;
    }
    await time.run(5000);
  }

  async check(): Promise<void> {
    const wrong = (what: string) => this.wrong.push(what);
    for (const name of names) {
      const log = await logOf(name), count = new Map<string, number>();
      for (const x of log) count.set(x, (count.get(x) ?? 0) + 1);
      for (const [x, n] of count) if (n > 1) wrong(`${name}: ${x} is in the log ${n} times`);
      for (let n = 0; n < (this.foreign.get(name) ?? 0); n++) if (!count.has(`f:${n}`)) wrong(`${name}: another's entry ${n} is not in the log`);
      const refused = new Set<string>();
      for (const c of this.contexts) for (const r of c.open.get(name)?.rejected() ?? []) refused.add(valueTag(r.value));
      for (const e of this.entries.filter((e) => e.name === name)) {
        const there = count.has(tag(e)), live = !e.of.dead;
        if (e.kept === true && !there && !refused.has(tag(e)) && !e.dealt && !e.gone) wrong(`${name}: ${tag(e)} was kept, and is nowhere`);
        if (e.kept === "quota" && there) wrong(`${name}: ${tag(e)} was told as not kept, and is in the log`);
        if (live && e.kept === null) wrong(`${name}: nobody has said whether ${tag(e)} is kept`);
        if (live && e.kept === true && e.fate === null && e.of.open.get(name)) wrong(`${name}: nobody has said what became of ${tag(e)}`);
        if (typeof e.fate === "number" && e.fate > 0 && !this.deleted.has(name) && log[e.fate - 1] !== tag(e)) wrong(`${name}: ${tag(e)} was told as ${e.fate}, where ${log[e.fate - 1]} is`);
      }
      const last = new Map<string, number>();
      // What was tried again comes later; so does what a copy of the profile had, when the log that had it was deleted, or had refused it.
      const dealt = new Set(this.entries.filter((e) => e.dealt || e.gone).map(tag)), copied = this.profiles.some((p) => p.name.startsWith("q"));
      for (const x of log) if (refused.has(x) && !dealt.has(x) && !copied) wrong(`${name}: ${x} was told as refused, and is in the log`);
      if (copied) for (const x of refused) dealt.add(x);
      for (const x of log.filter((x) => !dealt.has(x))) {
        const [by, n] = x.split(":") as [string, string];
        if (Number(n) < (last.get(by) ?? -1)) wrong(`${name}: ${x} is behind ${by}:${last.get(by)}`);
        last.set(by, Number(n));
      }
      for (const c of this.contexts) {
        const d = c.open.get(name);
        if (!d) continue;
        if (d.status.pending > 0) wrong(`${name}: ${d.status.pending} are pending still`);
        let read: string[] | null = null, failed: unknown;
        d.read({ after: "-1" }).then((all) => (read = all.map((e) => valueTag(e.value))), (e: unknown) => (failed = e));
        await time.run(20_000);
        if (!read) wrong(`${name}: it cannot be read: ${String((failed as Error)?.stack ?? failed)}`);
        else if ((read as string[]).join() !== log.join()) wrong(`${name}: ${c.profile.name} reads ${(read as string[]).join()} of ${log.join()}`);
      }
    }
  }
}

const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
process.on("unhandledRejection", (e) => {
  console.error("unhandled:", e);
  process.exit(3);
});

let failed = 0;
for (let seed = Number(first); seed < Number(first) + Number(many) && failed < 3; seed++) {
  const h = new History(seed, tracing === "true");
  await h.run();
  if (h.wrong.length === 0) continue;
  failed++;
  console.error(`seed ${seed}:\n  ${[...new Set(h.wrong)].slice(0, 6).join("\n  ")}`);
}
if (Number(many) >= 100 && failed === 0) {
  for (const what of [...fates, ...diskFaults, "server restarted", "context killed", "profile copied", "deleted on the server", "closed on the server", "refused and dealt with"]) {
    if (!met.has(what)) {
      failed++;
      console.error(`no history has met: ${what}`);
    }
  }
}
console.error([...met].sort().map(([what, n]) => `${what} ${n}`).join(", "));
process.exit(failed > 0 ? 1 : 0);
