// Who has what was committed: the browser, or nobody but this context and the server. One state, and the turns between them; what is remembered outside of
// IndexedDB (the witness) tells a loss from an end on purpose.
import type { Witness } from "../contexts/witness.js";
import type { Problem } from "../values/errors.js";
import type { Health, Loss } from "../values/states.js";

export type Custodian =
  | "asked" // the database is being opened
  | "browser" // what is committed is kept
  | "leaving" // somebody is about to delete it on purpose
  | "missing" // it is gone while it is open, and nobody knows yet whether on purpose
  | "context" // it is in the memory of this context alone: the browser keeps nothing, or has lost it
  | "app" // in the memory of this context as well: the app wants nothing kept
  | "nobody"; // it was deleted on purpose

/** Which states may follow which. */
export const turns: { readonly [from in Custodian]: readonly Custodian[] } = {
  asked: ["browser", "context", "app", "leaving", "nobody"],
  browser: ["browser", "leaving", "missing", "context", "nobody"], // opened again: by another program
  leaving: ["asked", "browser", "context", "app", "missing", "nobody"], // it is not deleted after all, or it is
  missing: ["context", "browser", "nobody"],
  context: ["context", "browser", "leaving", "nobody"],
  app: ["app", "leaving", "nobody"],
  nobody: [],
};

interface Host {
  /** It was lost. */
  lost(loss: Loss): void;
  /** The browser does not keep anything, for that reason. */
  refused(why: Problem): void;
  /** It was deleted on purpose, by another context. */
  deleted(): void;
}

export class Custody {
  readonly #witness: Witness;
  readonly #host: Host;
  #state: Custodian = "asked";
  #before: Custodian = "asked"; // that somebody was about to delete it
  #reason: Health["indexedDB"] = "ok";
  #loss: Loss | null = null;

  constructor(witness: Witness, host: Host) {
    this.#witness = witness;
    this.#host = host;
  }

  get state(): Custodian {
    return this.#state;
  }

  get loss(): Loss | null {
    return this.#loss;
  }

  /** Whether what is committed is kept by this browser. */
  get durable(): boolean {
    const { at } = this;
    return at === "browser" || at === "asked";
  }

  /** Whether what is committed is as well kept as the app wants it. */
  get keeps(): boolean {
    return this.durable || this.at === "app";
  }

  /** The state, whoever is about to delete it. */
  get at(): Custodian {
    return this.#state === "leaving" ? this.#before : this.#state;
  }

  /** What people are told of the browser. */
  get reason(): Health["indexedDB"] {
    return this.durable ? "ok" : this.#reason;
  }

  #turn(to: Custodian): void {
    if (!turns[this.#state].includes(to)) throw new Error(`what ${this.#state} has, ${to} cannot have next`);
    this.#state = to;
  }

  /** The database was opened: the one of that id, or, for that reason, one in memory. */
  opened(life: string, why: Problem | null): void {
    if (!why) {
      this.#turn("browser");
      const loss = this.#witness.compare(life);
      if (loss && !this.#loss) this.#lose(loss); // else it was told when it happened
      return;
    }
    this.#reason = /mutation operation/.test(why.message) ? "private" : this.#witness.knows ? "lost" : "unavailable";
    this.#turn("context");
    this.#host.refused(why);
  }

  /** It is in memory, as the app wants it. */
  chosen(): void {
    this.#reason = "memory";
    this.#turn("app");
  }

  /** Somebody is about to delete it on purpose, or, after all, is not. */
  leaving(yes: boolean): void {
    if (this.#state === "nobody" || yes === (this.#state === "leaving")) return;
    if (this.#state === "missing") return this.#deleted(); // so that was it
    if (yes) this.#before = this.#state;
    this.#turn(yes ? "leaving" : this.#before);
  }

  /** It is gone while it is open. Who has deleted it on purpose says so within a moment; later calls what it is given after that. */
  missing(unsent: number, later: (judge: () => void) => void): void {
    const known = this.#state === "leaving";
    this.#reason = "lost";
    this.#turn("missing");
    const judge = () => {
      if (this.#state !== "missing") return;
      if (known || this.#witness.destroyed) return this.#deleted();
      this.#turn("context");
      this.#lose({ at: Date.now(), unsent });
    };
    if (known) queueMicrotask(judge);
    else later(judge);
  }

  #deleted(): void {
    this.#turn("nobody");
    this.#host.deleted();
  }

  /** What was in the memory of a program is gone with it. */
  forgotten(unsent: number): void {
    this.#lose({ at: Date.now(), unsent });
  }

  #lose(loss: Loss): void {
    this.#loss = loss;
    this.#host.lost(loss);
  }

  /** It was deleted, by this context or another one that says so. */
  deleted(): void {
    if (this.#state !== "nobody") this.#turn("nobody");
  }
}
