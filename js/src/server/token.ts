// The app's token: one for all requests of a database, until the server refuses it. A refusal leads to one call of auth(), however many requests it
// meets; one that the server refuses as well, to a pause that grows.
import { Failure } from "./failure.js";

export type Auth = () => string | null | Promise<string | null>;

const limit = 30_000; // milliseconds that auth() may take
const most = 60_000; // milliseconds of a pause

export class Token {
  readonly #auth: Auth | undefined;
  readonly #pause: number;
  #held: { readonly text: string; readonly wish: number; good: boolean } | null = null; // good: the server has taken it
  #asking: Promise<string> | null = null;
  #refusals = 0; // of fresh tokens, in a row
  #notBefore = 0;
  #wishes = 0; // how often somebody wanted to know now: what was asked for before tells nothing of later
  #why = new Failure("unauthorized", "there is no token");

  /** pause is that of the loop after a failure, in milliseconds. */
  constructor(auth: Auth | undefined, pause: number) {
    this.#auth = auth;
    this.#pause = pause;
  }

  /** The token; null where the app names none. Rejects where there is none at the moment. */
  async get(): Promise<string | null> {
    if (!this.#auth) return null;
    if (this.#held) return this.#held.text;
    if (Date.now() < this.#notBefore) throw this.#why;
    return (this.#asking ??= this.#ask(this.#auth).finally(() => (this.#asking = null)));
  }

  async #ask(auth: Auth): Promise<string> {
    const wish = this.#wishes;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error("auth() takes too long")), limit)));
    try {
      const text = await Promise.race([Promise.resolve().then(auth), late]);
      if (typeof text !== "string" || text === "") throw undefined;
      this.#held = { text, wish, good: false };
      return text;
    } catch (e) {
      if (wish !== this.#wishes) return this.#ask(auth);
      this.#rest(e === undefined ? new Failure("unauthorized", "there is no token") : new Failure("unauthorized", "auth() failed", 0, e));
      throw this.#why;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The server has taken it. */
  accepted(text: string | null): void {
    if (this.#held?.text !== text || this.#held === null) return;
    this.#held.good = true;
    this.#refusals = 0;
  }

  /** The server has refused it. Gives whether the same request is worth another try at once, with another one. */
  refused(text: string | null): boolean {
    if (!this.#auth) return false;
    if (this.#asking || (this.#held && this.#held.text !== text)) return true; // of late: there is another one, or will be
    const was = this.#held;
    this.#held = null;
    if (was?.good || (was && was.wish !== this.#wishes)) return true; // its time is over
    if (was) this.#rest(new Failure("unauthorized", "the server wants another token"));
    return false;
  }

  #rest(why: Failure): void {
    this.#why = why;
    this.#notBefore = Date.now() + Math.min(most, Math.max(this.#pause, 1) * 2 * 4 ** this.#refusals++);
  }

  /** Somebody wants to know now: auth() is called without a pause. */
  wake(): void {
    this.#wishes++;
    this.#notBefore = this.#refusals = 0;
  }
}
