// Who of the contexts (tabs, workers) of a database leads, and whose turn it is to write: Web Locks. All of it is courtesy that saves work: what
// is kept in the local log is decided by the log alone.
import type { Slot } from "../values/states.js";

const slotLimit = 1000; // milliseconds that a tab waits for its turn to write

interface Listener {
  /** This context leads from now on, or does not any more. */
  lead(yes: boolean): void;
  /** The browser freezes the page, or lets it go on. */
  freeze(yes: boolean): void;
}

export class Leader {
  /** Whether this context leads. */
  leads: boolean;
  frozen = false;
  readonly #name: string;
  readonly #listener: Listener;
  /** Whether it may lead once. */
  candidate: boolean;
  readonly #elects: boolean; // it takes part in elections, unless it is alone
  #ended = false;
  #unlock: (() => void) | null = null;
  #giveBack: (() => void) | null = null; // the lock, and no more
  #asking = new AbortController(); // for turns to write
  #awake = new AbortController(); // aborted when the page is frozen, or lets go: with it end the requests for locks
  readonly #slots = new Set<() => void>();

  /** name is what the contexts share. One that is alone leads; one that is no candidate never does. */
  constructor(name: string, alone: boolean, candidate: boolean, listener: Listener) {
    this.#name = name;
    this.#listener = listener;
    this.leads = alone;
    this.candidate = this.#elects = candidate && !alone;
  }

  /** Begins to take part. */
  begin(): void {
    if (this.candidate) this.#elect();
  }

  /** Takes part in nothing any more, and leads itself. */
  alone(): void {
    this.candidate = false;
    this.#unlock = null;
    this.#release();
    this.#giveBack?.();
    this.leads = true;
  }

  /** Takes part again, where it did before it was alone. */
  join(): void {
    if (!this.#elects || this.candidate || this.#ended) return;
    this.candidate = true;
    this.leads = false;
    this.#awake = new AbortController();
    if (!this.frozen) this.#elect();
  }

  /** A turn to write: contexts that write at once would else only lose races to one another. Who waits too long goes without. */
  readonly slot: Slot = (stream, got) => {
    let waiting = true;
    const awake = this.#awake.signal;
    const go = (release: () => void) => {
      if (!waiting) return release();
      waiting = false;
      got(release);
    };
    const granted = () =>
      new Promise<void>((resolve) => {
        if (awake.aborted) return resolve(); // the page was frozen meanwhile: nobody waits for a frozen page
        const release = () => {
          this.#slots.delete(release);
          resolve();
        };
        this.#slots.add(release);
        go(release);
      });
    const asked = new AbortController(), end = () => asked.abort(), ends = [awake, this.#asking.signal];
    const timer = setTimeout(end, slotLimit);
    for (const signal of ends) signal.addEventListener("abort", end);
    if (ends.some((signal) => signal.aborted)) end();
    const over = () => {
      clearTimeout(timer);
      for (const signal of ends) signal.removeEventListener("abort", end);
    };
    navigator.locks.request(`${this.#name}/${stream}`, { signal: asked.signal }, () => (over(), granted())).catch(() => {
      over();
      go(() => {});
    });
  };

  /** Gives back the turns to write, and asks for none any more: who wanted them is gone. */
  releaseSlots(): void {
    this.#asking.abort();
    this.#asking = new AbortController();
    for (const release of this.#slots) release();
  }

  /** The page goes for good: it gives its connection back too, which some browsers keep until the tab is closed. */
  leave(): void {
    if (this.leads) this.#listener.lead(false);
  }

  /** A frozen page holds nothing that others wait for: no lock, and no transaction. */
  freeze(yes: boolean): void {
    if (this.frozen === yes) return;
    this.frozen = yes;
    if (yes) this.#release();
    else this.#awake = new AbortController();
    this.#listener.freeze(yes);
    if (!yes && this.candidate) this.#elect();
  }

  /** Gives back what others wait for. */
  #release(): void {
    this.#awake.abort();
    this.#unlock?.();
    this.releaseSlots();
  }

  /** Waits for the database's lock: who holds it runs the loop for all. */
  #elect(how: LockOptions = { signal: this.#awake.signal }): void {
    const awake = this.#awake.signal;
    this.#unlock = null;
    const lead = (yes: boolean) => {
      if (this.#ended) return;
      this.leads = yes;
      this.#listener.lead(yes);
    };
    const held = () =>
      new Promise<void>((release) => {
        const unlock = () => {
          lead(false);
          release();
        };
        this.#giveBack = release;
        if (this.#ended || awake.aborted) release();
        else {
          this.#unlock = unlock;
          lead(true);
        }
      });
    navigator.locks.request(this.#name, how, held).catch(() => {
      if (awake.aborted || this.#ended) return;
      const stolen = this.#unlock !== null;
      lead(false);
      if (stolen) this.#elect(); // behind who has taken it
    });
  }

  /** Takes the lock from a leader that says nothing, however it came to hold it still: it hears of that when it goes on. */
  steal(): void {
    if (!this.candidate || this.#ended || this.frozen || this.leads) return;
    this.#awake.abort(); // the request that waits
    this.#awake = new AbortController();
    this.#elect({ steal: true });
  }

  end(): void {
    this.#ended = true;
    this.#release();
  }
}
