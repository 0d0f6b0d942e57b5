import type { SyncError } from "./errors.js";

export const nilID = "00000000-0000-0000-0000-000000000000";

/** A promise of the local commit, with the later stage beside it. */
export class Write<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
  action = nilID;
  object = nilID;
  #settled: { index: number } | { error: unknown } | undefined;
  #promise: Promise<number> | undefined;
  #settle: [(index: number) => void, (e: unknown) => void] | undefined;

  /** When the action has its index in the log. Made when it is asked for: most are not. */
  get persisted(): Promise<number> {
    if (!this.#promise) {
      this.#promise = new Promise((resolve, reject) => {
        this.#settle = [resolve, reject];
        this.#tell();
      });
      this.#promise.catch(() => {}); // ignoring it raises nothing
      this.catch(() => {}); // and who awaits this stage alone hears of a write that failed here
    }
    return this.#promise;
  }

  /** @internal */
  settle(index: number, error: SyncError | null): void {
    this.#settled = error ? { error } : { index };
    this.#tell();
  }

  /** @internal */
  fail(error: unknown): void {
    this.#settled = { error };
    this.#tell();
  }

  #tell(): void {
    if (!this.#settle || !this.#settled) return;
    if ("index" in this.#settled) this.#settle[0](this.#settled.index);
    else this.#settle[1](this.#settled.error);
  }
}

/** A write under way: its promise, and how to end it. */
export interface Open<T> {
  write: Write<T>;
  ticket: number;
  value: T;
  resolve(value: T): void;
  reject(e: unknown): void;
}

export function begin<T>(): Open<T> {
  let resolve!: (value: T) => void;
  let reject!: (e: unknown) => void;
  const write = new Write<T>((a, b) => {
    resolve = a;
    reject = b;
  });
  return { write, ticket: 0, value: undefined as T, resolve, reject };
}

/** A write that failed at the call: nothing was written. */
export function refused<T>(e: unknown): Write<T> {
  const open = begin<T>();
  open.reject(e);
  open.write.fail(e);
  return open.write;
}
