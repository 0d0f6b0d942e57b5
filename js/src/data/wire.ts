// What data streams ask of the server. An answer has the headers that only this protocol has.
import { entriesType } from "./frames.js";
import type { Host } from "./kit.js";
import type { Answer, Producer } from "./producer.js";
import type { Alive, Asked, Cost } from "../server/transport.js";

const limit = 30_000; // milliseconds of silence that end a request
const slowest = 4; // bytes of a body that go up in a millisecond at least

export interface Page {
  bytes: Uint8Array;
  from: string;
  next: string;
  upToDate: boolean;
  closed: boolean;
  head: number;
  type: string;
}

export class Wire {
  /** What is asked costs that: of the turn under way. */
  cost: Cost = { status: 0, bytes: 0 };
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  #failure(code: string, message: string, wait = 0): Error {
    return new this.#host.kit.Failure(code, message, wait) as unknown as Error;
  }

  #stranger(): Error {
    return this.#failure("bad-answer", "something else than the sync server answered");
  }

  #ask<T>(path: string, init: Omit<Asked, "patience">, read: (r: Response, alive: Alive) => Promise<T>): Promise<T> {
    const patience = { first: limit + (init.body instanceof Blob ? init.body.size / slowest : 0), next: limit };
    return this.#host.transport.ask(path, { ...init, patience, cost: this.cost }, read);
  }

  /** What an answer other than a success says. Throws where that is nothing for good. */
  async #problem(r: Response): Promise<Answer> {
    const { kit } = this.#host;
    const number = (name: string) => (/^\d+$/.test(r.headers.get(name) ?? "") ? Number(r.headers.get(name)) : null);
    const p = await kit.problem(r);
    if (!p.code) throw kit.stranger(r);
    if (r.status === 429 || r.status >= 500) throw this.#failure(p.code, p.message, kit.waitAsked(r));
    if (p.code === "forbidden" || p.code === "upgrade") throw this.#failure(p.code, p.message);
    if (r.status === 404 && !p.pointer) throw this.#failure("bad-answer", "the server has no data streams"); // or is another one
    return { ...p, status: r.status, offset: number("Upload-Offset") };
  }

  /** Creates a stream where there is none. */
  create(name: string, type: string): Promise<Answer> {
    return this.#ask(`/data/${name}`, { method: "PUT", headers: { "Content-Type": type } }, async (r) => {
      if (!r.ok) return this.#problem(r);
      if (!r.headers.has("Stream-Next-Offset")) throw this.#stranger();
      return { status: r.status, code: "", message: "", pointer: "", offset: null };
    });
  }

  /** Sends a request of the queue. */
  append(name: string, p: Producer, headers: Record<string, string>, body: Blob): Promise<Answer & { head: number }> {
    const all = { "Producer-Id": p.id, "Producer-Epoch": String(p.epoch), "Producer-Seq": String(p.seq), ...headers };
    return this.#ask(`/data/${name}`, { method: "POST", headers: all, body }, async (r) => {
      const head = Number(r.headers.get("Strandline-Head") ?? 0); // 0: not all that was sent is new
      if (!r.ok) return { ...(await this.#problem(r)), head };
      const partial = r.headers.get("Upload-Complete") === "?0";
      if (!partial && !r.headers.has("Stream-Next-Offset")) throw this.#stranger();
      return { status: r.status, code: "", message: "", pointer: "", offset: partial ? Number(r.headers.get("Upload-Offset")) : null, head };
    });
  }

  /** Reads a page of the view of entries; an Answer where the server says no. */
  read(name: string, query: string): Promise<Page | Answer> {
    return this.#ask(`/data/${name}?${query}view=entries`, { headers: { Accept: entriesType } }, async (r, alive) => {
      if (!r.ok) return this.#problem(r);
      const next = r.headers.get("Stream-Next-Offset");
      if (!next || r.headers.get("Content-Type") !== entriesType) throw this.#stranger();
      return {
        bytes: new Uint8Array(await (await this.#whole(r, alive)).arrayBuffer()),
        from: r.headers.get("Strandline-From") ?? "",
        next,
        upToDate: r.headers.get("Stream-Up-To-Date") === "true",
        closed: r.headers.get("Stream-Closed") === "true",
        head: Number(r.headers.get("Strandline-Head") ?? 0),
        type: r.headers.get("Stream-Content-Type") ?? "",
      };
    });
  }

  /** Reads the bytes from an offset on, up to another one, as they come in: an entry that is too large for the view. query names the place. */
  async bytes(name: string, query: string, size: number): Promise<Blob> {
    const parts: Blob[] = [];
    let type = "";
    for (let got = 0; got < size; ) {
      const part = await this.#ask(`/data/${name}?${query}`, {}, async (r, alive) => {
        if (!r.ok) throw this.#failure((await this.#problem(r)).code, "the entry cannot be read");
        const next = r.headers.get("Stream-Next-Offset");
        if (!next) throw this.#stranger();
        query = `offset=${next}`;
        type = r.headers.get("Content-Type") ?? "";
        return this.#whole(r, alive);
      });
      if (part.size === 0) throw this.#failure("bad-answer", "the entry ends too early");
      parts.push(part.size > size - got ? part.slice(0, size - got) : part);
      got += part.size;
    }
    return new Blob(parts, { type });
  }

  async #whole(r: Response, alive: Alive): Promise<Blob> {
    const parts: BlobPart[] = [];
    await this.#host.kit.pieces(r, alive, (piece) => parts.push(piece as BlobPart));
    return new Blob(parts);
  }
}
