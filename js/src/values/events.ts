import { until, type Ending, type Until } from "./ending.js";
import { invalid } from "./errors.js";

/** Listeners of named events. What one throws goes to `thrown`. */
export class Events<M> {
  readonly #listeners = new Map<keyof M, Set<(e: never) => void>>();
  readonly #endings = new Set<() => void>();
  readonly #last = new Map<keyof M, unknown>();
  readonly #thrown: (e: unknown) => void;
  readonly #names: readonly (keyof M)[];

  constructor(names: readonly (keyof M)[], thrown: (e: unknown) => void) {
    this.#names = names;
    this.#thrown = thrown;
  }

  /** known is told to this listener alone, unless it has ended by then. */
  on<E extends keyof M>(event: E, fn: (e: M[E]) => void, options: Until = {}, known = this.#last.get(event) as M[E] | undefined): Ending {
    if (!this.#names.includes(event)) throw invalid("", `there is no event ${String(event)}`);
    if (typeof fn !== "function") throw invalid("", "on takes a function");
    let set = this.#listeners.get(event);
    if (!set) this.#listeners.set(event, (set = new Set()));
    const mine = (e: M[E]) => fn(e); // each call of on is a subscription of its own
    set.add(mine as (e: never) => void);
    const end = until(() => void set.delete(mine as (e: never) => void), options, this.#endings);
    queueMicrotask(() => {
      if (known !== undefined && set.has(mine as (e: never) => void)) this.#call(mine, known);
      if (this.#last.size > 0) end(); // nothing more is told
    });
    return end;
  }

  /** Tells what is told at the end: who comes later is told it too. Nothing is told any more then, and no signal holds a listener. */
  last<E extends keyof M>(event: E, value: M[E]): void {
    this.#last.set(event, value);
    this.emit(event, value);
    for (const end of [...this.#endings]) end();
  }

  has(event: keyof M): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  emit<E extends keyof M>(event: E, value: M[E]): void {
    for (const fn of [...(this.#listeners.get(event) ?? [])]) this.#call(fn as (e: M[E]) => void, value);
  }

  #call<T>(fn: (e: T) => void, value: T): void {
    try {
      fn(value);
    } catch (e) {
      this.#thrown(e);
    }
  }
}
