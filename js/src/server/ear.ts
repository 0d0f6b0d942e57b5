// The connection for hints: one for a profile and a server, over all databases and contexts. The context that holds it tells the others what it hears.
import { failureOf, type Failure } from "./failure.js";
import { kind, pieces, refusal, type Transport } from "./transport.js";
import { Channel } from "../contexts/channel.js";
import { single, type Single } from "../contexts/single.js";

const patience = { first: 30_000, next: 60_000 }; // milliseconds: the server says something every 25 s at least
const maxEvent = 1 << 16; // characters
const most = 5000; // names of a kind that one connection may be about
const gather = 20; // milliseconds in which more may be asked for

/** Names of streams. */
export interface Topics {
  readonly streams?: readonly string[];
  readonly data?: readonly string[];
}

interface Listener {
  heard(event: string): void;
  ended(f: Failure | null): void;
}

/** What contexts tell one another. */
interface Told {
  id: string;
  /** What its context listens for; null: it does not any more. */
  about?: Topics | null;
  /** Who holds the connection asks who listens for what. */
  who?: boolean;
  event?: string;
  /** The connection has ended: the code and the message. */
  ended?: readonly [string, string] | null;
}

const ears = new Map<string, Ear>(); // of this page

/** Listens for hints about some streams, over the one connection of a key; gives what ends that. */
export function listen(transport: Transport, key: string, about: Topics, to: Listener): () => void {
  let ear = ears.get(key);
  if (!ear) ears.set(key, (ear = new Ear(key)));
  return ear.listen(transport, about, to);
}

class Ear {
  readonly #id = String(Math.random());
  readonly #key: string;
  readonly #local = new Map<Listener, { about: Topics; transport: Transport }>();
  readonly #theirs = new Map<string, Topics>();
  #channel: Channel<Told> | null = null;
  #single: Single | null = null;
  #connection: { about: string; transport: Transport; abort: AbortController } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  listen(transport: Transport, about: Topics, to: Listener): () => void {
    this.#local.set(to, { about, transport });
    if (!this.#single) this.#begin();
    this.#announce();
    return () => {
      if (!this.#local.delete(to)) return;
      if (this.#connection?.transport === transport && ![...this.#local.values()].some((l) => l.transport === transport)) this.#cut(); // it is about to end
      this.#announce();
    };
  }

  #begin(): void {
    const name = `strandline/hints/${this.#key}`;
    this.#channel = new Channel(name, (told) => this.#hear(told));
    this.#single = single(name, (yes) => {
      if (yes) this.#tell({ who: true });
      this.#soon();
    });
  }

  #tell(told: Omit<Told, "id">): void {
    this.#channel?.post({ id: this.#id, ...told });
  }

  /** Says what this context listens for. */
  #announce(): void {
    const about = this.#local.size > 0 ? union([...this.#local.values()].map((l) => l.about)) : null;
    this.#tell({ about });
    if (about) return this.#soon();
    this.#single?.leave();
    this.#single = null;
    this.#cut();
    this.#theirs.clear();
    this.#channel?.close();
    this.#channel = null;
  }

  #hear({ id, about, who, event, ended }: Told): void {
    if (who) this.#announce();
    if (event !== undefined) this.#heard(event);
    if (ended !== undefined) this.#over(ended && failureOf({ code: ended[0], message: ended[1] }));
    if (about) this.#theirs.set(id, about);
    else if (about === null) this.#theirs.delete(id);
    if (about !== undefined) this.#soon();
  }

  #heard(event: string): void {
    for (const to of [...this.#local.keys()]) to.heard(event);
  }

  /** The connection has ended: who wants another one says so. */
  #over(f: Failure | null): void {
    const all = [...this.#local.keys()];
    this.#local.clear();
    this.#theirs.clear();
    for (const to of all) to.ended(f);
    if (this.#local.size === 0) this.#announce();
  }

  /** One who may not ask does not keep the others from hearing. */
  #without(transport: Transport, f: Failure): void {
    const out = [...this.#local].filter(([, l]) => l.transport === transport);
    for (const [to] of out) this.#local.delete(to);
    for (const [to] of out) to.ended(f);
    this.#announce();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#single?.held && this.#local.size > 0) this.#connect();
      else this.#cut();
    }, gather);
  }

  #cut(): void {
    this.#connection?.abort.abort();
    this.#connection = null;
  }

  /** Makes the connection, in the place of one about something else. */
  #connect(): void {
    const { transport } = [...this.#local.values()][0]!;
    const about = JSON.stringify(union([...[...this.#local.values()].map((l) => l.about), ...this.#theirs.values()]));
    if (this.#connection?.about === about) return;
    this.#cut();
    const connection = (this.#connection = { about, transport, abort: new AbortController() });
    const init = { method: "POST", body: about, headers: { "Content-Type": "application/json" }, cache: "no-store" as const, patience, until: connection.abort.signal };
    transport
      .ask("/events", init, async (r, alive) => {
        if (r.status !== 200 || kind(r) !== "text/event-stream") throw await refusal(r);
        const decoder = new TextDecoder();
        let text = "";
        await pieces(r, alive, (piece) => {
          const events = (text + decoder.decode(piece, { stream: true })).split("\n\n");
          text = events.pop()!;
          if (text.length > maxEvent) throw new Error("an event without an end");
          for (const event of events) {
            if (this.#connection !== connection) return;
            this.#tell({ event });
            this.#heard(event);
          }
        });
      })
      .then(() => null, failureOf)
      .then((f) => {
        if (this.#connection !== connection) return;
        this.#connection = null;
        if (f && /^(unauthorized|forbidden)$/.test(f.code)) return this.#without(transport, f);
        this.#tell({ ended: f && [f.code, f.message] });
        this.#over(f);
      });
  }
}

/** All names, sorted, each once. */
function union(all: readonly Topics[]): Topics {
  const names = (of: keyof Topics) => [...new Set(all.flatMap((about) => about[of] ?? []))].sort().slice(0, most);
  return { streams: names("streams"), data: names("data") };
}
