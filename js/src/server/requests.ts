// What a program asks of the server: requests of the sync protocol, checkpoints, and the connection for hints.
import { listen, type Topics } from "./ear.js";
import { Failure, failureOf, problemOf } from "./failure.js";
import { kind, pieces, refusal, type Cost, type Patience, type Transport } from "./transport.js";

type Told = ReturnType<typeof problemOf> | null;

/** The program. */
export interface Asker {
  answered(op: number, body: Uint8Array, wait: number, problem: Told, cost: Cost): void;
  hinted(op: number, stream: string, head: number, data: string, offset: string): void;
  hintsEnded(op: number, problem: Told): void;
}

export class Requests {
  readonly #transport: Transport;
  readonly #asker: Asker;
  readonly #under = new Map<number, AbortController>();
  readonly #key: string;
  #deafen: (() => void) | null = null;

  /** key is of those who share the connection for hints. */
  constructor(transport: Transport, key: string, asker: Asker) {
    this.#transport = transport;
    this.#key = key;
    this.#asker = asker;
  }

  /** Makes a request, a POST where there is a body. The answer is of that kind, and has that SHA-256 where one is named, or it is an error. */
  make(op: number, path: string, body: Uint8Array | null, want: string, patience: Patience, have: Uint8Array, sum: string): void {
    const abort = new AbortController(), came: Uint8Array[] = [have], cost: Cost = { status: 0, bytes: 0 };
    this.#under.set(op, abort);
    const headers: { [name: string]: string } = body ? { "Content-Type": "application/json" } : { Accept: want };
    const init = { method: body ? "POST" : "GET", body: body as BodyInit | null, headers, cache: "no-store" as const, patience, until: abort.signal, cost };
    this.#transport
      .ask(path, init, async (r, alive) => {
        if (r.status !== 200 || kind(r) !== want) throw await refusal(r);
        await pieces(r, alive, (piece) => came.push(piece));
        const text = joined(came);
        if (sum !== "" && ((await hash(text)) ?? sum) !== sum) {
          came.length = 0;
          throw new Failure("bad-answer", "it is not the checkpoint that was offered", 0, undefined, "/checkpoint");
        }
        return text;
      })
      .then((text) => ({ text, f: null }), (e: unknown) => ({ text: joined(came), f: failureOf(e) }))
      .then(({ text, f }) => {
        if (this.#under.delete(op)) this.#asker.answered(op, text, f?.wait ?? 0, f && problemOf(f), cost);
      });
  }

  /** Ends one that nobody waits for any more. */
  abort(op: number): void {
    this.#under.get(op)?.abort();
    this.#under.delete(op);
  }

  /** Listens for hints about streams, in the place of what it listened for; about nothing it does not. */
  listen(op: number, about: Uint8Array | null): void {
    const before = this.#deafen;
    const to = { heard: (event: string) => this.#hint(op, event), ended: (f: Failure | null) => this.#asker.hintsEnded(op, f && problemOf(f)) };
    this.#deafen = about && listen(this.#transport, this.#key, JSON.parse(new TextDecoder().decode(about)) as Topics, to);
    before?.();
  }

  /** A server-sent event. One that is no hint, or of a kind that is not known, is none. */
  #hint(op: number, event: string): void {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)`, "m").exec(event)?.[1] ?? "";
    try {
      const kind = field("event"), { stream = "", head = 0, data = "", offset = "" } = JSON.parse(field("data")) as { [key: string]: never };
      const [text, n] = [`${stream}`, Number(head)];
      if (kind === "head" && text && Number.isSafeInteger(n) && n >= 0) this.#asker.hinted(op, text, n, "", "");
      if (kind === "data" && data) this.#asker.hinted(op, "", 0, `${data}`, `${offset}`);
    } catch {
      // no JSON
    }
  }

  /** Whoever asked is gone. */
  end(): void {
    for (const op of [...this.#under.keys()]) this.abort(op);
    this.listen(0, null);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/** The SHA-256 of bytes, in hexadecimal. Outside of a secure context nobody can tell it: then the checksum of the compression, the length and the strict
    form are left. */
async function hash(bytes: Uint8Array): Promise<string | undefined> {
  const { subtle } = globalThis.crypto;
  if (!subtle) return undefined;
  const sum = new Uint8Array(await subtle.digest("SHA-256", bytes as BufferSource));
  return Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
}
