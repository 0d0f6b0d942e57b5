// The rows of a query as a value that follows them.
import { LiveValue, type Origin, type Watched } from "../values/live.js";
import type { Row } from "../values/row.js";
import type { Notifier } from "./notifier.js";
import type { Query } from "./query.js";
import type { Rows } from "./rows.js";
import type { Change } from "./watch.js";

export type LiveRows = LiveValue<readonly Row[], Change>;
export type LiveCount = LiveValue<number, Change>;
export type LiveRow = LiveValue<Row | undefined, Change>;

/** As a value is given out: the same for the same. */
type Given<T> = (value: T) => T;

/** The same array until the rows are others. check throws where nothing can be read. */
export function liveRows(rows: Rows, notifier: Notifier, query: Query, check: () => void, given: Given<readonly Row[]>): LiveRows {
  return new LiveValue(new RowsOrigin(rows, notifier, query, check, given));
}

class RowsOrigin implements Origin<readonly Row[], Change> {
  #last: { version: number; rows: readonly Row[] } | null = null;

  constructor(
    readonly rows: Rows,
    readonly notifier: Notifier,
    readonly query: Query,
    readonly check: () => void,
    readonly given: Given<readonly Row[]>,
  ) {}

  get onEnd(): Set<() => void> {
    return this.notifier.onEnd;
  }

  now(): readonly Row[] {
    return this.given(this.#now());
  }

  #now(): readonly Row[] {
    this.check();
    this.rows.fresh();
    const { version } = this.rows.table, last = this.#last;
    if (last?.version === version && this.query.pending === null) return last.rows;
    const rows = this.rows.query(this.query);
    const same = last !== null && last.rows.length === rows.length && rows.every((row, i) => row === last.rows[i]);
    this.#last = { version, rows: same ? last.rows : rows };
    return this.#last.rows;
  }

  watch(tell: (rows: readonly Row[], change: Change) => void): Watched<readonly Row[]> {
    this.check();
    const { given } = this;
    const subscription = this.notifier.add(this.query, (rows, change) => tell(given(rows), change), this.#last?.rows);
    return {
      get value() {
        return given(subscription.rows);
      },
      end: () => {
        this.#last = { version: -1, rows: subscription.rows };
        subscription.end();
      },
    };
  }

  call(fn: () => void): void {
    this.notifier.guard(fn);
  }
}

/** One object, undefined where there is none. */
export function liveRow(rows: Rows, notifier: Notifier, id: string, check: () => void, given: Given<Row | undefined>): LiveRow {
  return new LiveValue({
    onEnd: notifier.onEnd,
    now() {
      check();
      return given(rows.get(id));
    },
    watch(tell) {
      check();
      const subscription = notifier.addOne(id, ([row], change) => tell(given(row), change));
      return {
        get value() {
          return given(subscription.rows[0]);
        },
        end: () => subscription.end(),
      };
    },
    call: (fn) => notifier.guard(fn),
  });
}

/** How many rows a query has. */
export function liveCount(rows: Rows, notifier: Notifier, query: Query, check: () => void): LiveCount {
  return new LiveValue({
    onEnd: notifier.onEnd,
    now() {
      check();
      return rows.count(query);
    },
    watch(tell) {
      check();
      let n = rows.count(query);
      const subscription = notifier.add(query, (all, change) => {
        if (all.length !== n) tell((n = all.length), change);
      });
      return {
        get value() {
          return n;
        },
        end: () => subscription.end(),
      };
    },
    call: (fn) => notifier.guard(fn),
  });
}
