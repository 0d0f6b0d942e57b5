// Requests of data streams. What is not an answer of the server is never taken for one: redirects are not followed, an error is a problem with
// a code, and an answer has the headers that only this protocol has.
import type { Host } from "./kit.js";
import type { Answer, Producer } from "./producer.js";
import { entriesType } from "./frames.js";

const limit = 30_000; // milliseconds of silence that end a request
const slowest = 4; // bytes of a body that go up in a millisecond at least
const authLimit = 30_000;
const maxWait = 3_600_000; // that is believed of Retry-After

/** A failure that says nothing for good; wait is how many milliseconds the server asks for. */
export class Failure {
  constructor(
    readonly code: string,
    readonly message: string,
    readonly wait = 0,
    readonly cause?: unknown,
  ) {}
}

/** Anything thrown as a failure. */
export function failureOf(e: unknown): Failure {
  const { code = "internal", message } = e as { code?: string; message: string };
  return new Failure(code, message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message, 0, e);
}

export interface Page {
  bytes: Uint8Array;
  from: string;
  next: string;
  upToDate: boolean;
  closed: boolean;
  head: number;
  type: string;
}

export class Transport {
  readonly #host: Host;
  readonly #ended = new AbortController();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Ends what is under way. */
  close(): void {
    this.#ended.abort();
  }

  async #token(): Promise<string | null> {
    const { auth } = this.#host;
    if (!auth) return null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error("auth() takes too long")), authLimit)));
    try {
      const token = await Promise.race([Promise.resolve().then(auth), late]);
      if (typeof token === "string" && token) return token;
    } catch (e) {
      throw new Failure("unauthorized", "auth() failed", 0, e);
    } finally {
      clearTimeout(timer);
    }
    throw new Failure("unauthorized", "there is no token");
  }

  /** Makes a request; read gets the answer, and keeps the request alive as often as it says so. */
  async #ask<T>(path: string, init: Omit<RequestInit, "headers"> & { headers?: Record<string, string>; until?: AbortSignal }, read: (r: Response, alive: () => void) => Promise<T>): Promise<T> {
    const token = await this.#token();
    const headers: Record<string, string> = { "Strandline-Version": "1", ...init.headers };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    const abort = new AbortController();
    let silent = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => abort.abort();
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(
        () => {
          silent = true;
          end();
        },
        limit + (init.body instanceof Blob ? init.body.size / slowest : 0),
      );
    };
    const ends = [this.#ended.signal, ...(init.until ? [init.until] : [])];
    for (const signal of ends) {
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    }
    alive();
    try {
      const r = await fetch(this.#host.url + path, { ...init, headers, signal: abort.signal, redirect: "error", credentials: "same-origin" });
      return await read(r, alive);
    } catch (e) {
      if (e instanceof Failure) throw e;
      throw silent ? new Failure("timeout", "the server did not answer in time") : new Failure("unreachable", "the server could not be reached", 0, e);
    } finally {
      clearTimeout(timer);
      for (const signal of ends) signal.removeEventListener("abort", end);
      abort.abort();
    }
  }

  /** What an answer other than a success says. Throws where that is nothing for good. */
  async #problem(r: Response): Promise<Answer> {
    const number = (name: string) => (/^\d+$/.test(r.headers.get(name) ?? "") ? Number(r.headers.get(name)) : null);
    const a: Answer = { status: r.status, code: "", message: "", pointer: "", offset: number("Upload-Offset") };
    if ((r.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) {
      const p = (await r.json()) as { code?: unknown; detail?: unknown; pointer?: unknown };
      if (typeof p.code === "string") a.code = p.code;
      if (typeof p.detail === "string") a.message = p.detail;
      if (typeof p.pointer === "string") a.pointer = p.pointer;
    }
    if (r.status === 401) throw new Failure("unauthorized", "the server wants another token");
    const code = a.code || (r.status === 429 || r.status === 503 ? "unavailable" : "bad-answer");
    if (!a.code || r.status === 429 || r.status >= 500) throw new Failure(code, a.message || `the answer has status ${r.status}`, waitAsked(r.headers.get("Retry-After")));
    if (a.code === "forbidden" || a.code === "upgrade") throw new Failure(a.code, a.message);
    if (r.status === 404 && !a.pointer) throw new Failure("bad-answer", "the server has no data streams"); // or is another one
    return a;
  }

  /** Creates a stream where there is none. */
  create(name: string, type: string): Promise<Answer> {
    return this.#ask(`/data/${name}`, { method: "PUT", headers: { "Content-Type": type } }, async (r) => {
      if (!r.ok) return this.#problem(r);
      if (!r.headers.has("Stream-Next-Offset")) throw new Failure("bad-answer", "something else than the sync server answered");
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
      if (!partial && !r.headers.has("Stream-Next-Offset")) throw new Failure("bad-answer", "something else than the sync server answered");
      return { status: r.status, code: "", message: "", pointer: "", offset: partial ? Number(r.headers.get("Upload-Offset")) : null, head };
    });
  }

  /** Reads a page of the view of entries; an Answer where the server says no. */
  read(name: string, query: string): Promise<Page | Answer> {
    return this.#ask(`/data/${name}?${query}view=entries`, { headers: { Accept: entriesType } }, async (r, alive) => {
      if (!r.ok) return this.#problem(r);
      const next = r.headers.get("Stream-Next-Offset");
      if (!next || r.headers.get("Content-Type") !== entriesType) throw new Failure("bad-answer", "something else than the sync server answered");
      return {
        bytes: new Uint8Array(await (await whole(r, alive)).arrayBuffer()),
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
        if (!r.ok) throw new Failure((await this.#problem(r)).code, "the entry cannot be read");
        const next = r.headers.get("Stream-Next-Offset");
        if (!next) throw new Failure("bad-answer", "something else than the sync server answered");
        query = `offset=${next}`;
        type = r.headers.get("Content-Type") ?? "";
        return whole(r, alive);
      });
      if (part.size === 0) throw new Failure("bad-answer", "the entry ends too early");
      parts.push(part.size > size - got ? part.slice(0, size - got) : part);
      got += part.size;
    }
    return new Blob(parts, { type });
  }
}

/** Reads a body to its end, however long that takes, as long as something comes. */
async function whole(r: Response, alive: () => void): Promise<Blob> {
  const parts: BlobPart[] = [];
  const reader = r.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return new Blob(parts);
    alive();
    parts.push(value as BlobPart);
  }
}

function waitAsked(text: string | null): number {
  if (!text) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Math.min(Math.max(ms || 0, 0), maxWait);
}
