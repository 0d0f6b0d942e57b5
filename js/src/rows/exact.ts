// Rows by the value of one key, for queries that ask for that value.
import type { Row } from "../values/row.js";
import { getter } from "./where.js";
import type { Changed } from "./view.js";

/** Of values that are no objects: two of these are the same JSON where a Map takes them for the same key. */
export class ExactIndex {
  idle = 0;
  readonly #get: (row: Row) => unknown;
  readonly #rows = new Map<unknown, Set<Row>>();

  constructor(key: string, rows: Iterable<Row>) {
    this.#get = getter(key);
    for (const row of rows) this.#add(row);
  }

  #add(row: Row): void {
    const value = this.#get(row);
    if (value === undefined || (typeof value === "object" && value !== null)) return;
    const there = this.#rows.get(value);
    if (there) there.add(row);
    else this.#rows.set(value, new Set([row]));
  }

  apply(changes: readonly Changed[]): void {
    for (const { before, after } of changes) {
      if (before) {
        const value = this.#get(before);
        const there = this.#rows.get(value);
        if (there?.delete(before) && there.size === 0) this.#rows.delete(value);
      }
      if (after) this.#add(after);
    }
  }

  /** How many rows have one of some values. */
  count(values: readonly unknown[]): number {
    return values.reduce<number>((n, value) => n + (this.#rows.get(value)?.size ?? 0), 0);
  }

  *of(values: readonly unknown[]): Iterable<Row> {
    this.idle = 0;
    for (const value of values) yield* this.#rows.get(value) ?? [];
  }
}
