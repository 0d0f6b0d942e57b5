// The life of a database, of a stream, of a data stream: one state, and the turns between them. What is asked of it waits where it may go on.
import type { SyncError } from "./errors.js";

export type LifeState = "opening" | "open" | "restarting" | "closing" | "closed";

/** Which states may follow which. */
export const turns: { readonly [from in LifeState]: readonly LifeState[] } = {
  opening: ["open", "restarting", "closing", "closed"], // what is stored may be shown already
  open: ["restarting", "closing", "closed"],
  restarting: ["restarting", "open", "closing", "closed"], // another program is started in the place of one that is gone
  closing: ["closed"], // what was begun is brought to its end, and nothing new begins
  closed: [],
};

export class Life {
  #state: LifeState = "opening";
  #why: SyncError | null;
  #goOn!: () => void;
  #up!: Promise<void>;
  #end!: (why: SyncError) => void;
  /** Resolves when it has ended, with the reason. */
  readonly closed: Promise<SyncError>;

  /** why is what is told to who cannot wait until it is open. */
  constructor(why: SyncError) {
    this.#why = why;
    this.closed = new Promise((resolve) => (this.#end = resolve));
    this.#wait();
  }

  #wait(): void {
    this.#up = new Promise((resolve) => (this.#goOn = resolve));
  }

  get state(): LifeState {
    return this.#state;
  }

  /** Why nothing can be asked of it now; null where it can. */
  get why(): SyncError | null {
    return this.#why;
  }

  /** Whether it has not begun to end. */
  get lives(): boolean {
    return this.#state !== "closing" && this.#state !== "closed";
  }

  get ended(): boolean {
    return this.#state === "closed";
  }

  /** Whether there is no program, and one is on its way. */
  get waits(): boolean {
    return this.#state === "opening" || this.#state === "restarting";
  }

  /** Takes the next state. Why it cannot be asked is left out where it can. */
  turn(to: LifeState, why: SyncError | null = null): void {
    if (!turns[this.#state].includes(to)) throw new Error(`a life that is ${this.#state} cannot be ${to}`);
    if (this.#state === "open") this.#wait();
    this.#state = to;
    this.#why = why;
    if (to !== "restarting") this.#goOn();
    if (to === "closed") this.#end(why!);
  }

  /** Resolves when it is open, however often it is started again; rejects when it ends, or begins to. */
  async up(): Promise<void> {
    while (this.waits) await this.#up;
    this.check();
  }

  /** Throws where nothing can be asked of it now. */
  check(): void {
    if (this.#why) throw this.#why;
  }
}
