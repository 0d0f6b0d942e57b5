// The network between a device and the test server: it is there, slow, or not, and it loses what it is told to lose.
import type { Out, Server } from "./program.js";

type Loss = "request" | "answer";

export class Network {
  #off = false;
  #delay = 0; // milliseconds, each way
  readonly #losses: { request: number; answer: number } = { request: 0, answer: 0 };
  readonly #under = new Set<() => void>(); // requests, and what breaks them

  /** Breaks what is under way; nothing gets through until online(). */
  offline(): void {
    this.#off = true;
    for (const cut of [...this.#under]) cut();
  }

  online(): void {
    this.#off = false;
  }

  /** Has requests and answers take so many milliseconds, each; 0 ends that. */
  slow(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  /** Loses the next requests, which the server never sees, or their answers: it has done what was asked, and nobody hears. */
  lose(what: Loss = "answer", count = 1): void {
    this.#losses[what] += count;
  }

  #loses(what: Loss): boolean {
    return this.#losses[what] > 0 && this.#losses[what]-- > 0;
  }

  /** @internal Makes a request of a server, as fetch does. */
  async fetch(server: Server, input: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input), { signal } = init;
    const body = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
    const headers = [...new Headers(init.headers)].flat();
    const ends = new AbortController(), events = url.pathname.endsWith("/events"); // the connection for hints is opened again by itself: what is to be lost is lost of others
    const end = () => ends.abort();
    this.#under.add(end);
    signal?.addEventListener("abort", end);
    const over = () => {
      this.#under.delete(end);
      signal?.removeEventListener("abort", end);
    };
    const gone = () => signal?.reason ?? new TypeError("Failed to fetch");
    try {
      if (signal?.aborted || this.#off) throw gone();
      await this.#pause(ends.signal, gone);
      if (!events && this.#loses("request")) throw gone();
      return await new Promise<Response>((resolve, reject) => {
        const cut = server.fetch(init.method ?? "GET", url.pathname + url.search, headers, body, answer(this.#way(events, ends.signal), { resolve, reject, gone, over, ended: () => cut() }));
        if (ends.signal.aborted) cut();
        else ends.signal.addEventListener("abort", () => cut());
      });
    } catch (e) {
      over();
      throw e;
    }
  }

  #way(events: boolean, signal: AbortSignal): Way {
    return { signal, lost: () => !events && this.#loses("answer"), pause: (gone) => this.#pause(signal, gone) };
  }

  #pause(signal: AbortSignal, gone: () => unknown): Promise<void> {
    if (this.#delay === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, this.#delay);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(gone() as Error);
      });
    });
  }
}

interface Way {
  readonly signal: AbortSignal;
  lost(): boolean;
  pause(gone: () => unknown): Promise<void>;
}

interface Asked {
  resolve(r: Response): void;
  reject(e: unknown): void;
  gone(): unknown;
  over(): void;
  /** Nobody reads the answer any more. */
  ended(): void;
}

/** An answer as it comes through the network. */
function answer(way: Way, { resolve, reject, gone, over, ended }: Asked): Out {
  let stream: ReadableStreamDefaultController<Uint8Array> | null = null;
  let broken = false, last: Promise<unknown> = Promise.resolve(); // pieces come in their order
  const broke = () => {
    if (broken) return;
    broken = true;
    over();
    reject(gone());
    stream?.error(gone());
  };
  way.signal.addEventListener("abort", broke);
  const then = (f: () => void) => void (last = last.then(() => !broken && f()));
  return {
    head: (status, headers) => {
      if (way.lost()) {
        ended();
        return broke();
      }
      last = way.pause(gone).catch(broke);
      then(() => {
        const pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]!] as [string, string]] : []));
        const body = new ReadableStream<Uint8Array>({ start: (c) => void (stream = c), cancel: () => (over(), ended()) });
        resolve(new Response(status === 204 || status === 304 ? null : body, { status, headers: pairs }));
      });
    },
    piece: (bytes) => then(() => stream?.enqueue(bytes)),
    end: (cut) =>
      then(() => {
        if (cut) return broke();
        broken = true;
        over();
        try {
          stream?.close();
        } catch {
          // nobody reads it
        }
      }),
  };
}
