// What a stream asks of its program, and of those that take its place until one has answered.
import type { Place } from "./place.js";
import type { Waiting } from "./waiting.js";
import { RestartedError } from "../values/errors.js";
import type { Life } from "../values/life.js";

/** Asks once. again tells that a program which was asked before has died. */
type Call<T> = (place: Place, resolve: (value: T) => void, reject: (e: unknown) => void, again: boolean) => void;

/** The stream. */
interface Of {
  readonly life: Life;
  readonly waiting: Waiting | null;
  /** Throws where it cannot be asked. */
  readonly place: Place;
}

export class Asking {
  readonly #of: Of;
  readonly #open = new Set<(e: unknown) => void>();

  constructor(of: Of) {
    this.#of = of;
  }

  async ask<T>(call: Call<T>): Promise<T> {
    for (let again = false; ; again = true) {
      if (this.#of.waiting) await this.#of.waiting.ready;
      try {
        return await this.#once(call, again);
      } catch (e) {
        if (!(e instanceof RestartedError) || !this.#of.life.lives) throw e;
      }
    }
  }

  #once<T>(call: Call<T>, again: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const { place } = this.#of;
      this.#open.add(reject);
      const over = <V>(f: (value: V) => void) => (value: V) => {
        this.#open.delete(reject);
        f(value);
      };
      call(place, over(resolve), over(reject), again);
    });
  }

  /** The program has died, or the stream has ended. */
  interrupt(why: unknown): void {
    for (const reject of [...this.#open]) reject(why);
    this.#open.clear();
  }
}
