// What the browser keeps for a database, and what it does not: whether what is committed is durable, what was lost, and what is unsent.
import { Background } from "../contexts/background.js";
import { Custody } from "./custody.js";
import { healthOf, persist } from "./health.js";
import { Witness } from "../contexts/witness.js";
import type { Problem } from "../values/errors.js";
import type { Health } from "../values/states.js";

const soon = 1000; // milliseconds after a write that what is unsent is looked at
const again = 5000;

interface Host {
  /** Whether what was written goes to the server now, as far as is known. */
  reached(): boolean;
  /** How much of each stream is unsent; null while nobody can tell. */
  unsent(): [string, number][] | null;
  /** Health has changed. */
  changed(level: "info" | "error", code: string, message: string): void;
  /** Another context has deleted the database on purpose. */
  deleted(): void;
}

export class Keeper {
  readonly #host: Host;
  readonly #witness: Witness;
  readonly #background: Background;
  readonly #how: { readonly persist: boolean; readonly memory: boolean };
  readonly custody: Custody;
  #rows: Health["rows"] = "ok";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #standing = false;
  #ended = false;
  #pressed = false; // a wake-up was asked for, of what is unsent

  /** persist: the browser is asked not to evict what is stored; memory: nothing is to be stored. */
  constructor(shared: string, how: { persist: boolean; memory: boolean }, host: Host) {
    this.#host = host;
    this.#how = how;
    this.#witness = new Witness(shared);
    this.custody = new Custody(this.#witness, {
      lost: ({ unsent }) => host.changed("error", "lost", `the browser has lost the local database; ${unsent || "no"} actions were not on the server, as far as is known`),
      refused: (why) => host.changed("error", "storage", `this browser keeps nothing: what is written is kept when the server has it (${why.message})`),
      deleted: () => host.deleted(),
    });
    this.#background = new Background(shared);
  }

  /** The database was opened: the one of that id, or, for that reason, one in memory. */
  opened(life: string, why: Problem | null): void {
    if (this.#how.memory) this.custody.chosen();
    else this.custody.opened(life, why);
  }

  /** Whether the app wants nothing kept. */
  get memory(): boolean {
    return this.#how.memory;
  }

  /** unviewed: how many rows could not be viewed. */
  health(unviewed: number): Promise<Health> {
    return healthOf(this.custody.reason, this.#rows, unviewed, this.custody.loss);
  }

  /** Rows that were stored beside a log were not those of it. */
  differed(stream: string): void {
    this.#rows = "differed";
    this.#host.changed("error", "corrupt", `rows of stream ${stream} that were stored were not those of its log; they are being replaced`);
  }

  /** This context is about to delete the database on purpose, or, after all, is not. */
  destroying(yes: boolean): void {
    this.#witness.destroying(yes);
    this.custody.leaving(yes);
  }

  /** It was deleted: nothing more is remembered of it. */
  forget(): void {
    this.#witness.forget();
    this.custody.deleted();
  }

  /** Whether there is, or was, a database that this context does not have. */
  get unread(): boolean {
    return !this.custody.durable && this.#witness.knows;
  }

  /** Something was written: what is unsent a while later is remembered outside of IndexedDB, and a service worker is asked for. */
  wrote(): void {
    if (!this.#ended && !this.#how.memory) this.#timer ??= setTimeout(() => this.look(), this.#host.reached() ? soon : 0);
  }

  /** How streams stand has changed: what waits for a look waits no longer where the server is out of reach. */
  stands(): void {
    if (this.#ended || this.#timer === undefined || this.#pressed || this.#standing) return;
    this.#standing = true;
    queueMicrotask(() => {
      this.#standing = false;
      if (this.#timer !== undefined && !this.#host.reached()) this.look();
    });
  }

  /** Looks at what is unsent now. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#ended || this.#how.memory) return;
    const unsent = this.#host.unsent();
    this.#pressed = unsent?.some(([, n]) => n > 0) === true;
    if (!unsent) {
      this.#timer = setTimeout(() => this.look(), again); // the runtime is being started again
      return;
    }
    this.#witness.remember(unsent);
    if (this.#how.persist && unsent.length > 0) {
      persist().then((granted) => granted && this.#host.changed("info", "persisted", "the browser keeps what is stored"), () => {});
    }
    if (!unsent.some(([, n]) => n > 0)) return;
    this.#background.register(); // each time: the browser alone knows whether it still means to wake the service worker up
    this.#timer = setTimeout(() => this.look(), again);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}
