// Tells live queries what has changed: once for all that happens in a tick, and never half of a turn.
import type { Query } from "./query.js";
import type { Row } from "../values/row.js";
import type { Rows } from "./rows.js";
import { until, type Ending, type Until } from "../values/ending.js";
import { equal } from "../values/equal.js";
import type { Changed } from "./view.js";
import { Watch, WatchOne, type Change } from "./watch.js";

export type Subscriber = (rows: readonly Row[], change: Change) => void;

export interface Subscription {
  readonly rows: readonly Row[];
  end(): void;
}

interface Entry extends Subscription {
  readonly watch: Watch | WatchOne;
  readonly fn: Subscriber;
  /** What it was not told of: when others began, or when its filter threw. */
  owed: readonly Changed[];
}

/** So many calls in one task, each of which has changed something again, and the page gets its turn. */
const maxRounds = 100;

interface Host {
  /** Whether live queries can be told now. */
  ready(): boolean;
  later(fn: () => void): void;
  warn(code: string, message: string, cause?: unknown): void;
}

export class Notifier {
  readonly onEnd = new Set<() => void>();
  readonly #entries = new Set<Entry>();
  readonly #rows: Rows;
  readonly #host: Host;
  #scheduled = false;
  #local = false;
  #remote = false;
  #rounds = 0;

  constructor(rows: Rows, host: Host) {
    this.#rows = rows;
    this.#host = host;
  }

  /** Makes a query a live one; its rows are as of now, in the array that is known where they are the same. */
  add(query: Query, fn: Subscriber, known?: readonly Row[]): Subscription {
    return this.#add(() => new Watch(this.#rows, query, known), fn);
  }

  /** Calls fn with the rows of a query in a microtask, unless that has ended by then, and after each change of them. */
  subscribe(query: Query, fn: Subscriber, over: () => boolean, options: Until): Ending {
    let begun = false;
    const tell = (rows: readonly Row[], change?: Change) => {
      if (!begun || !change) change = { added: rows.map((row) => row.id), changed: [], removed: [], origin: "local" };
      begun = true;
      fn(rows, change);
    };
    const subscription = this.add(query, tell);
    queueMicrotask(() => begun || over() || this.guard(() => tell(subscription.rows)));
    return until(() => {
      begun = true;
      subscription.end();
    }, options, this.onEnd);
  }

  /** Makes one object a live one. */
  addOne(id: string, fn: Subscriber): Subscription {
    return this.#add(() => new WatchOne(this.#rows, id), fn);
  }

  #add(make: () => Watch | WatchOne, fn: Subscriber): Subscription {
    this.#rows.fresh();
    const changes = this.#rows.table.take(); // the others are told of that, and this one has it
    if (changes.length > 0) for (const entry of this.#entries) entry.owed = merged(entry.owed, changes);
    const watch = make();
    const entry: Entry = {
      watch,
      fn,
      owed: [],
      get rows() {
        return watch.rows;
      },
      end: () => {
        if (!this.#entries.delete(entry)) return;
        this.#rows.table.watchers = this.#entries.size;
        watch.end();
      },
    };
    this.#entries.add(entry);
    this.#rows.table.watchers = this.#entries.size;
    return entry;
  }

  /** Nobody is told any more. */
  end(): void {
    for (const entry of this.#entries) entry.end();
    for (const fn of [...this.onEnd]) fn();
  }

  /** Something has changed, or may have. */
  changed(remote: boolean): void {
    if (this.#entries.size === 0) return;
    if (remote) this.#remote = true;
    else this.#local = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#rounds++ === 0) this.#host.later(() => (this.#rounds = 0));
    if (this.#rounds === maxRounds) this.#host.warn("subscriber", "live queries are told without end: a subscriber seems to write whenever it is called");
    if (this.#rounds < maxRounds) queueMicrotask(this.#notify);
    else this.#host.later(this.#notify);
  }

  readonly #notify = (): void => {
    if (!this.#host.ready()) {
      this.#scheduled = false;
      return;
    }
    let changes: readonly Changed[];
    try {
      if (!this.#rows.step()) return this.#host.later(this.#notify);
      changes = this.#rows.table.take();
    } catch (e) {
      this.#scheduled = false;
      return this.#host.warn("notify", "live queries cannot be told", e);
    }
    this.#scheduled = false;
    const origin = this.#local && this.#remote ? "mixed" : this.#remote ? "remote" : "local";
    this.#local = this.#remote = false;
    const calls: (() => void)[] = [];
    for (const entry of this.#entries) {
      entry.owed = merged(entry.owed, changes); // and it still is where its filter throws
      try {
        const change = entry.watch.update(entry.owed, origin);
        entry.owed = [];
        if (change) calls.push(() => this.#entries.has(entry) && this.guard(() => entry.fn(entry.rows, change))); // one that was called before may have ended it
      } catch (e) {
        this.#host.warn("filter", "the filter of a live query threw", e);
      }
    }
    for (const call of calls) call();
  };

  guard(call: () => void): void {
    try {
      call();
    } catch (e) {
      this.#host.warn("subscriber", "a subscriber threw", e);
    }
  }
}

/** Two lists of changes as one, in which each row is once. */
function merged(first: readonly Changed[], then: readonly Changed[]): readonly Changed[] {
  if (first.length === 0) return then;
  const by = new Map<string, Changed>();
  for (const { before, after } of [...first, ...then]) {
    const { id } = (before ?? after)!;
    const was = by.get(id);
    by.set(id, was ? { before: was.before, after } : { before, after });
  }
  return [...by.values()].filter(({ before, after }) => before !== after && !(before && after && equal(before, after)));
}
