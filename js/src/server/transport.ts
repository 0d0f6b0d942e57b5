// Requests of the server, of streams of actions and of data alike. What is not an answer of the server is never taken for one: redirects are not
// followed, an error is a problem with a code. Silence ends a request, not its length.
import { Failure } from "./failure.js";
import type { Token } from "./token.js";

const maxWait = 3_600_000; // milliseconds that are believed of Retry-After

/** Milliseconds of silence that end a request: before its answer begins, and within it. */
export interface Patience {
  readonly first: number;
  readonly next: number;
}

export interface Asked extends Omit<RequestInit, "headers" | "signal"> {
  readonly headers?: { readonly [name: string]: string };
  readonly patience: Patience;
  /** Ends it. */
  readonly until?: AbortSignal;
  /** Is told what it costs. */
  readonly cost?: Cost;
}

/** What was seen of requests on their way, for people: the last status, 0 for none, and the bytes of the bodies, both ways. */
export interface Cost {
  status: number;
  bytes: number;
}

/** Something has come: so many bytes. */
export type Alive = (bytes?: number) => void;

/** What an error says of itself. */
export interface Problem {
  code: string; // "" where it is no problem of this server's
  message: string;
  pointer: string;
}

export class Transport {
  readonly url: string; // of /v1; "" for none
  readonly token: Token;
  readonly #fetch: typeof fetch;
  readonly #ended = new AbortController();

  /** It asks by that function, or by the global fetch as it is then. */
  constructor(url: string, token: Token, how?: typeof fetch) {
    this.url = url;
    this.token = token;
    this.#fetch = how ?? ((...args) => fetch(...args));
  }

  /** Ends what is under way. */
  end(): void {
    this.#ended.abort();
  }

  /** Makes a request. read gets the answer, and calls alive as often as something has come. */
  async ask<T>(path: string, asked: Asked, read: (r: Response, alive: Alive) => Promise<T>): Promise<T> {
    for (let again = true; ; again = false) {
      const token = await this.token.get();
      try {
        return await this.#ask(path, asked, token, read);
      } catch (e) {
        if (!(e instanceof Failure) || e.code !== "unauthorized" || !this.token.refused(token) || !again) throw e;
      }
    }
  }

  async #ask<T>(path: string, { headers, patience, until, cost, ...init }: Asked, token: string | null, read: (r: Response, alive: Alive) => Promise<T>): Promise<T> {
    const all: { [name: string]: string } = { "Strandline-Version": "1", ...headers };
    if (token !== null) all.Authorization = `Bearer ${token}`;
    const abort = new AbortController(), end = () => abort.abort();
    const ends = [this.#ended.signal, ...(until ? [until] : [])];
    for (const signal of ends) {
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    }
    let silent = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        silent = true;
        end();
      }, ms);
    };
    const alive = (bytes = 0) => {
      if (cost) cost.bytes += bytes;
      wait(patience.next);
    };
    if (cost) {
      cost.status = 0;
      cost.bytes += init.body instanceof Blob ? init.body.size : ArrayBuffer.isView(init.body) ? init.body.byteLength : 0;
    }
    wait(patience.first);
    try {
      const r = await this.#fetch(this.url + path, { ...init, headers: all, signal: abort.signal, redirect: "error", credentials: "same-origin" });
      alive();
      if (cost) cost.status = r.status;
      if (r.status === 401) throw new Failure("unauthorized", "the server wants another token");
      this.token.accepted(token);
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
}

/** What an answer other than a success says of itself. */
export async function problem(r: Response): Promise<Problem> {
  const p: Problem = { code: "", message: "", pointer: "" };
  if (!kind(r).startsWith("application/problem+json")) return p;
  const said = (await r.json().catch((e: unknown) => Promise.reject(e instanceof SyntaxError ? new Failure("bad-answer", "the server's problem cannot be read") : e))) as { [key: string]: unknown } | null;
  const text = (key: string) => (typeof said?.[key] === "string" ? said[key] : "");
  return { code: text("code"), message: text("detail"), pointer: text("pointer") };
}

/** The media type of an answer. */
export const kind = (r: Response): string => (r.headers.get("Content-Type") ?? "").split(";")[0]!.trim().toLowerCase();

/** What an answer that is no problem is taken for. */
export function stranger(r: Response): Failure {
  const { status } = r, wait = waitAsked(r);
  if (status === 429 || status === 503) return new Failure("unavailable", "the server cannot answer now", wait);
  return new Failure("bad-answer", `something else than the sync server answered, with status ${status}`, wait);
}

/** What an answer of another kind says. */
export async function refusal(r: Response): Promise<Failure> {
  if (kind(r) !== "application/problem+json") return stranger(r);
  const { code, message, pointer } = await problem(r);
  return code ? new Failure(code, message, waitAsked(r), undefined, pointer) : new Failure("bad-answer", "the server's problem cannot be read");
}

/** Reads a body to its end, however long that takes, as long as something comes: each piece goes to. */
export async function pieces(r: Response, alive: Alive, to: (piece: Uint8Array) => void): Promise<void> {
  const reader = r.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return;
    alive(value.byteLength);
    to(value);
  }
}

/** Milliseconds that an answer asks to wait, at most an hour. */
export function waitAsked(r: Response): number {
  const text = r.headers.get("Retry-After");
  if (!text) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Math.min(Math.max(ms || 0, 0), maxWait);
}
