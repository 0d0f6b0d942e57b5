// Virtual time, chance, and the way to the server's process.

const real = { immediate: setImmediate };

/** Chance, a function of a seed (mulberry32). */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed * 0x9e3779b1 + 1;
  }
  next(): number {
    let t = (this.#state += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }
}

interface Event {
  at: number;
  serial: number;
  f: (() => void) | null;
}

/** Time: nothing happens but what is scheduled. The script's timers are events of it. */
export class Time {
  now = 1_767_225_600_000;
  #events: Event[] = [];
  #serial = 0;
  busy = 0; // calls of the server under way
  stirred = 0; // of what is done at once

  after(ms: number, f: () => void): Event {
    const e = { at: this.now + Math.max(0, ms || 0), serial: this.#serial++, f };
    this.#events.push(e);
    return e;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets so many milliseconds pass. */
  async run(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await this.#still();
      let next: Event | undefined;
      for (const e of this.#events) if (e.at <= until && (!next || e.at < next.at || (e.at === next.at && e.serial < next.serial))) next = e;
      if (!next) break;
      this.#events.splice(this.#events.indexOf(next), 1);
      this.now = next.at;
      const { f } = next;
      next.f = null;
      f?.();
    }
    this.now = until;
  }

  /** Resolves when nothing goes on by itself. */
  async #still(): Promise<void> {
    for (let quiet = 0, seen = this.stirred; quiet < 2; quiet++) {
      await new Promise((resolve) => real.immediate(resolve));
      if (this.busy > 0 || seen !== this.stirred) quiet = -1;
      seen = this.stirred;
    }
  }

  /** Takes the place of the clock and the timers. */
  install(): void {
    Date.now = () => this.now;
    globalThis.setTimeout = ((f: () => void, ms?: number) => this.after(ms ?? 0, f)) as never;
    globalThis.clearTimeout = ((e: Event | undefined) => e && (e.f = null)) as never;
  }
}

export interface Answer {
  status: number;
  headers: { [name: string]: string };
  body: string;
}

/** The server's process: lines of JSON there and back. */
export class Server {
  readonly #time: () => Time;
  readonly #waiting: ((a: Answer) => void)[] = [];
  #text = "";

  constructor(time: () => Time) {
    this.#time = time;
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (text: string) => {
      const lines = (this.#text + text).split("\n");
      this.#text = lines.pop()!;
      for (const line of lines) this.#waiting.shift()!(JSON.parse(line) as Answer);
    });
  }

  #call(what: object): Promise<Answer> {
    const time = this.#time();
    time.busy++;
    process.stdout.write(`${JSON.stringify({ now: time.now, ...what })}\n`);
    return new Promise<Answer>((resolve) => this.#waiting.push(resolve)).finally(() => {
      time.busy--;
      time.stirred++;
    });
  }

  ask(method: string, path: string, headers: object = {}, body: Uint8Array = new Uint8Array()): Promise<Answer> {
    return this.#call({ method, path, headers, body: Buffer.from(body).toString("base64") });
  }

  /** Its process ends, and another begins: over what it had, or over nothing. */
  restart(fresh: boolean): Promise<Answer> {
    return this.#call({ fresh });
  }
}
