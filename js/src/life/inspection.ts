// What a context tells an inspector of the same origin, which opens nothing itself, and what it does for one.
import type { Stream } from "../streams/stream.js";
import type { WakeUp } from "../program/runtime.js";
import { newID } from "../values/ids.js";
import type { Health, Status, StreamStatus } from "../values/states.js";

const most = 50; // of each list

/** What an inspector asks for: of one stream more than how it stands. */
export interface Asked {
  readonly stream?: string;
  readonly query?: object;
  /** The bundle that was ordered under this name. */
  readonly bundle?: string;
}

/** What an inspector has done, by the context of that id. */
export interface Order {
  readonly to: string;
  readonly what: "sync" | "retry" | "discard" | "bundle" | "redacted";
  readonly stream?: string;
  readonly action?: string; // or the name of a bundle
}

/** One stream, more closely. before: the program is not there yet, and lists are not known. */
interface Seen {
  readonly name: string;
  readonly client: string;
  readonly before: boolean;
  readonly pending: readonly object[];
  readonly rejected: readonly object[];
  readonly conflicts: readonly object[];
  readonly rows: readonly object[];
  readonly count: number;
  readonly problem: string;
}

export interface Inspected {
  readonly id: string;
  /** The page's title. */
  readonly tab: string;
  readonly leader: boolean;
  readonly trace: readonly WakeUp[];
  readonly health: Health | null;
  readonly streams: { readonly [name: string]: StreamStatus };
  readonly data: { readonly [name: string]: StreamStatus };
  readonly seen: Seen | null;
  /** What the last order came to, where it failed. */
  readonly said: string;
  readonly bundle: Blob | null;
}

interface Of {
  readonly status: Status;
  trace(): readonly WakeUp[];
  readonly life: { readonly state: string };
  health(): Promise<Health>;
  sync(): Promise<void>;
  export(options: { redact: boolean }): Promise<Blob>;
}

export class Inspection {
  readonly #of: Of;
  readonly #stream: (name: string) => Stream | undefined;
  readonly #id = newID();
  readonly #bundles = new Map<string, Blob>();
  #said = "";

  constructor(of: Of, stream: (name: string) => Stream | undefined) {
    this.#of = of;
    this.#stream = stream;
  }

  async tell(asked: Asked): Promise<Inspected> {
    const { streams, data, leader } = this.#of.status, stream = this.#stream(asked.stream ?? "");
    return {
      id: this.#id, tab: globalThis.document?.title || "a worker", leader, trace: this.#of.trace(), health: this.#of.life.state === "open" ? await this.#of.health().catch(() => null) : null,
      streams, data, seen: stream ? see(stream, asked) : null, said: this.#said, bundle: this.#bundles.get(asked.bundle ?? "") ?? null,
    };
  }

  carryOut({ to, what, stream, action = "" }: Order): void {
    if (to !== this.#id) return;
    const on = this.#stream(stream ?? "");
    const done = what === "sync" ? this.#of.sync() : what === "retry" ? on?.retry(action) : what === "discard" ? on?.discard(action) : this.#bundle(action, what === "redacted");
    this.#said = "";
    Promise.resolve(done).catch((e: Error) => (this.#said = e.message));
  }

  async #bundle(name: string, redact: boolean): Promise<void> {
    const bundle = await this.#of.export({ redact });
    this.#bundles.clear();
    this.#bundles.set(name, bundle);
  }
}

function see(stream: Stream, asked: Asked): Seen {
  const [pending, rejected, conflicts] = [stream.pending(), stream.rejected(), stream.conflicts()];
  let rows: readonly object[] = [], count = 0, problem = "";
  try {
    const query = { ...asked.query };
    count = stream.count(query);
    rows = plain(stream.query(query));
  } catch (e) {
    problem = e instanceof Error ? e.message : String(e);
  }
  return {
    name: stream.name, client: stream.client, before: pending === null, count, problem,
    pending: plain(pending), rejected: plain(rejected), conflicts: plain(conflicts),
    rows,
  };
}

/** What passes between contexts. */
const plain = (rows: readonly unknown[] | null) => JSON.parse(JSON.stringify(rows?.slice(0, most) ?? [], (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))) as object[];
