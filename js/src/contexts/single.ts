// What one context of those that want it has: by a Web Lock, or, without locks, by what they tell one another.
import { Channel } from "./channel.js";

const beat = 5000; // milliseconds between the words of who holds it without a lock
const dead = 16_000; // of silence

export interface Single {
  readonly held: boolean;
  leave(): void;
}

/** Asks for it by its name; changed is told when this context has it, or has it no more. */
export function single(name: string, changed: (yes: boolean) => void): Single {
  return (globalThis.navigator?.locks as LockManager | undefined) ? new Locked(name, changed) : new Claimed(name, changed);
}

class Locked implements Single {
  held = false;
  readonly #left = new AbortController();

  constructor(name: string, changed: (yes: boolean) => void) {
    const until = new Promise<void>((resolve) => this.#left.signal.addEventListener("abort", () => resolve()));
    navigator.locks
      .request(name, { signal: this.#left.signal }, () => {
        if (this.#left.signal.aborted) return;
        this.held = true;
        changed(true);
        return until;
      })
      .catch(() => {});
  }

  leave(): void {
    this.held = false;
    this.#left.abort();
  }
}

type Told = "who" | { readonly id: number; readonly seen: boolean } | { readonly left: true };

/** Whoever hears nothing of a holder takes it; of two that hear of one another the one that people see keeps it, or else the lower id. */
class Claimed implements Single {
  held = false;
  readonly #id = Math.random();
  readonly #changed: (yes: boolean) => void;
  readonly #channel: Channel<Told>;
  readonly #timer: ReturnType<typeof setInterval>;
  #heard = Date.now();
  #quiet = 200 + Math.random() * 300; // milliseconds that it waits for the word of a holder

  constructor(name: string, changed: (yes: boolean) => void) {
    this.#changed = changed;
    this.#channel = new Channel(`${name}/single`, (told) => this.#hear(told));
    this.#channel.post("who");
    this.#timer = setInterval(() => this.#look(), 250);
  }

  get #seen(): boolean {
    return globalThis.document?.visibilityState !== "hidden";
  }

  #say(): void {
    this.#heard = Date.now();
    this.#channel.post({ id: this.#id, seen: this.#seen });
  }

  #look(): void {
    const silence = Date.now() - this.#heard;
    if (this.held && silence >= beat) this.#say();
    if (this.held || silence < this.#quiet) return;
    this.held = true;
    this.#say();
    this.#changed(true);
  }

  #hear(told: Told): void {
    if (told === "who") return this.held ? this.#say() : undefined;
    if ("left" in told) this.#quiet = Math.random() * 300; // who is first takes it
    else {
      const theirs = told.seen !== this.#seen ? told.seen : told.id < this.#id;
      if (this.held && !theirs) return this.#say();
      this.#quiet = dead + Math.random() * 2000;
      if (this.held) {
        this.held = false;
        this.#changed(false);
      }
    }
    this.#heard = Date.now();
  }

  leave(): void {
    clearInterval(this.#timer);
    if (this.held) this.#channel.post({ left: true });
    this.held = false;
    this.#channel.close();
  }
}
