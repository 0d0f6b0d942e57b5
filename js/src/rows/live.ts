// A value that follows what it is made of.
import type { Notifier, Subscription } from "./notifier.js";
import type { Query } from "./query.js";
import type { Row } from "../values/row.js";
import type { Rows } from "./rows.js";
import type { Change } from "./watch.js";

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/** The rows of a query: the same array until they are others. It costs nothing while nobody has subscribed to it. */
export class LiveRows {
  readonly #rows: Rows;
  readonly #notifier: Notifier;
  readonly #query: Query;
  readonly #check: () => void;
  readonly #subscribers = new Set<(rows: readonly Row[], change: Change) => void>();
  #subscription: Subscription | null = null;
  #last: { version: number; rows: readonly Row[] } | null = null;
  readonly #ended = new Set<() => void>();
  #over = false;

  /** check throws where nothing can be read. */
  constructor(rows: Rows, notifier: Notifier, query: Query, check: () => void) {
    this.#rows = rows;
    this.#notifier = notifier;
    this.#query = query;
    this.#check = check;
  }

  get current(): readonly Row[] {
    if (this.#subscription) return this.#subscription.rows;
    this.#check();
    this.#rows.fresh();
    const { version } = this.#rows.table, last = this.#last;
    if (last?.version === version && this.#query.pending === null) return last.rows;
    const rows = this.#rows.query(this.#query);
    const same = last !== null && last.rows.length === rows.length && rows.every((row, i) => row === last.rows[i]);
    this.#last = { version, rows: same ? last.rows : rows };
    return this.#last.rows;
  }

  subscribe(fn: (rows: readonly Row[], change: Change) => void, { signal }: { signal?: AbortSignal } = {}): () => void {
    this.#check();
    if (signal?.aborted || this.#over) return () => {};
    this.#subscription ??= this.#notifier.add(this.#query, (rows, change) => {
      for (const told of [...this.#subscribers]) if (this.#subscribers.has(told)) this.#notifier.call({ rows, fn: told }, change);
    }, this.#last?.rows);
    const own: typeof fn = (rows, change) => fn(rows, change); // one function may subscribe twice
    this.#subscribers.add(own);
    const end = () => {
      signal?.removeEventListener("abort", end);
      if (!this.#subscribers.delete(own) || this.#subscribers.size > 0 || !this.#subscription) return;
      this.#last = { version: -1, rows: this.#subscription.rows };
      this.#subscription.end();
      this.#subscription = null;
    };
    signal?.addEventListener("abort", end);
    return end;
  }

  /** The rows as they are, then as they become; one that is slow is given the last ones. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Row[], void, undefined> {
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
    this.#ended.add(stop);
    this.#notifier.onEnd.add(stop);
    try {
      while (!over) {
        if (fresh) {
          fresh = false;
          yield this.current;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#ended.delete(stop);
      this.#notifier.onEnd.delete(stop);
      end();
    }
  }

  /** Ends it: nobody is told any more. */
  [dispose](): void {
    this.#over = true;
    this.#subscribers.clear();
    this.#subscription?.end();
    this.#subscription = null;
    for (const stop of this.#ended) stop();
  }
}
