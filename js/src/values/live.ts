// A value that follows what it is made of. It costs nothing while nobody has subscribed to it.

import { dispose, until, type Ending, type Until } from "./ending.js";

/** What is followed. */
export interface Watched<T> {
  /** The value that was told last. */
  readonly value: T;
  end(): void;
}

/** Where a value comes from. */
export interface Origin<T, C> {
  /** The value now: the same object until it is another. Throws where it cannot be read any more. */
  now(): T;
  /** Calls tell after each change, never before this returns. */
  watch(tell: (value: T, change: C) => void): Watched<T>;
  /** Calls a subscriber; what it throws is noted. */
  call(fn: () => void): void;
  /** Those who are called at the end, when nothing follows any more. */
  readonly onEnd: Set<() => void>;
}

export class LiveValue<T, C = undefined> {
  readonly #origin: Origin<T, C>;
  readonly #shared: boolean;
  readonly #subscribers = new Map<(value: T, change: C) => void, Ending>();
  readonly #iterations = new Set<() => void>();
  #watched: Watched<T> | null = null;
  #over = false;

  /** One that many share goes on when one of them disposes of it. */
  constructor(origin: Origin<T, C>, shared = false) {
    this.#origin = origin;
    this.#shared = shared;
  }

  get current(): T {
    return this.#watched ? this.#watched.value : this.#origin.now();
  }

  subscribe(fn: (value: T, change: C) => void, options: Until = {}): Ending {
    if (options.signal?.aborted || this.#over) return until(() => {});
    this.#watched ??= this.#origin.watch((value, change) => {
      for (const told of [...this.#subscribers.keys()]) this.#origin.call(() => this.#subscribers.has(told) && told(value, change));
    });
    const own: typeof fn = (value, change) => fn(value, change); // one function may subscribe twice
    const end = until(() => {
      this.#subscribers.delete(own);
      if (this.#subscribers.size > 0) return;
      this.#watched?.end();
      this.#watched = null;
    }, options, this.#origin.onEnd);
    this.#subscribers.set(own, end);
    return end;
  }

  /** The value as it is, then as it becomes; one that is slow is given the last one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let wake: () => void = () => {};
    let fresh = true, over = this.#over;
    const stop = () => {
      over = true;
      wake();
    };
    const end = this.subscribe(() => {
      fresh = true;
      wake();
    });
    this.#iterations.add(stop);
    this.#origin.onEnd.add(stop);
    try {
      while (!over) {
        if (fresh) {
          fresh = false;
          yield this.current;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#iterations.delete(stop);
      this.#origin.onEnd.delete(stop);
      end();
    }
  }

  /** Ends it: nobody is told any more. */
  [dispose](): void {
    if (this.#shared) return;
    this.#over = true;
    for (const end of [...this.#subscribers.values()]) end();
    for (const stop of this.#iterations) stop();
  }
}

/** A value that is looked at again when something may have changed it: its subscribers are told in a microtask. */
export class Signal<T> implements Origin<T, undefined> {
  readonly now: () => T;
  readonly onEnd = new Set<() => void>();
  readonly #thrown: (e: unknown) => void;
  readonly #watches = new Set<Watched<T> & { look(): void }>();
  #scheduled = false;

  constructor(now: () => T, thrown: (e: unknown) => void) {
    this.now = now;
    this.#thrown = thrown;
  }

  /** Whether somebody follows it. */
  get watched(): boolean {
    return this.#watches.size > 0;
  }

  watch(tell: (value: T, change: undefined) => void): Watched<T> {
    const now = this.now;
    const watch = {
      value: now(),
      end: () => void this.#watches.delete(watch),
      look: () => {
        let value: T;
        try {
          value = now();
        } catch {
          return; // it is about to end
        }
        if (value === watch.value) return;
        watch.value = value;
        tell(value, undefined);
      },
    };
    this.#watches.add(watch);
    return watch;
  }

  call(fn: () => void): void {
    try {
      fn();
    } catch (e) {
      this.#thrown(e);
    }
  }

  /** Something may have changed it. */
  readonly changed = (): void => {
    if (this.#scheduled || !this.watched) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const watch of [...this.#watches]) if (this.#watches.has(watch)) this.call(watch.look);
    });
  };

  /** Nothing changes it any more. */
  end(): void {
    this.#watches.clear();
    for (const fn of [...this.onEnd]) fn();
  }
}
