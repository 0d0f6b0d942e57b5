// A stream while there is no program, before the first one or between two: it shows what is known, and what is written waits.
import type { SyncError } from "../values/errors.js";
import { begin, nilID, refused, type Write } from "../values/write.js";

/** How the stream stood. */
export interface Stood {
  readonly head: number;
  readonly unsent: number;
  readonly refused: number;
}

export class Waiting {
  readonly of: Stood;
  readonly #writes: { run(): void; refuse(why: SyncError): void }[] = [];
  #ready = new Promise<void>(() => {});
  #resolve!: () => void;
  #reject!: (why: SyncError) => void;
  /** Why nothing is waited for any more; it may come all the same. */
  #overdue: SyncError | null = null;

  constructor(of: Stood) {
    this.of = of;
    this.#promise();
  }

  #promise(): void {
    this.#ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ready.catch(() => {}); // it is told to who asks
  }

  /** Resolves when the program is there, and has what was written before. */
  get ready(): Promise<void> {
    return this.#overdue ? Promise.reject(this.#overdue) : this.#ready;
  }

  /** How many writes wait. */
  get size(): number {
    return this.#writes.length;
  }

  /** A write that is made when the program is there, behind those that wait. */
  write<T>(make: () => Write<T>, object = nilID): Write<T> {
    if (this.#overdue) return refused(this.#overdue);
    const { write, resolve, reject } = begin<T>();
    write.object = object;
    const refuse = (e: unknown) => {
      reject(e);
      write.fail(e);
    };
    const run = () => {
      const made = make();
      write.action = made.action;
      write.object = made.object;
      made.then(resolve, reject);
      made.persisted.then((index) => write.settle(index, null), (e: unknown) => write.fail(e));
    };
    this.#writes.push({ run, refuse });
    return write;
  }

  /** The program is there. */
  end(): void {
    for (const { run } of this.#writes.splice(0)) run();
    this.#resolve();
  }

  /** It does not come: nobody waits any longer, and nothing of what was written will be. */
  refuse(why: SyncError): void {
    this.#overdue = why;
    for (const { refuse } of this.#writes.splice(0)) refuse(why);
    this.#reject(why);
    this.#promise();
  }
}
