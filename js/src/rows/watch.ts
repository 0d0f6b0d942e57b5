// A live query: its rows, and what has changed of them since they were given out.
import type { Query } from "./query.js";
import type { Row } from "../values/row.js";
import type { Rows } from "./rows.js";
import { equal } from "../values/equal.js";
import type { Changed, View } from "./view.js";

export type Change = { added: readonly string[]; changed: readonly string[]; removed: readonly string[]; origin: "local" | "remote" | "mixed" };

export class Watch {
  rows: readonly Row[];
  readonly #query: Query;
  readonly #of: Rows;
  readonly #view: View | null; // null where the answer depends on more than rows

  /** The rows have to be fresh. */
  constructor(of: Rows, query: Query, known?: readonly Row[]) {
    this.#of = of;
    this.#query = query;
    this.#view = query.pending === null ? of.table.hold(query) : null;
    const rows = this.#now();
    this.rows = known && same(known, rows) ? known : rows;
  }

  #now(): readonly Row[] {
    return this.#view ? this.#view.window(this.#query) : this.#of.query(this.#query);
  }

  /** Takes what has changed in the table; null where these rows are the same. A filter that throws does so here. */
  update(changes: readonly Changed[], origin: Change["origin"]): Change | null {
    const view = this.#view, { limit, offset, after } = this.#query;
    if (view?.stale) this.#of.table.renew(view);
    else if (view && limit === Infinity && offset === 0 && !after) return this.#whole(view, changes, origin);
    else if (view && !changes.some((c) => view.takes(c.before) || view.takes(c.after))) return null;
    const before = this.rows, rows = this.#now();
    if (same(before, rows)) return null;
    this.rows = rows;
    const change = difference(before, rows, origin);
    const moved = rows.length === before.length && rows.some((row, i) => row.id !== before[i]!.id);
    return moved || change.added.length + change.changed.length + change.removed.length > 0 ? change : null;
  }

  /** Without a cut, what has changed says it: the cost does not grow with the rows, but for a copy. */
  #whole(view: View, changes: readonly Changed[], origin: Change["origin"]): Change | null {
    const added: Row[] = [], changed: Row[] = [], removed: Row[] = [];
    for (const { before, after } of changes) {
      const had = view.takes(before), has = view.takes(after);
      if (has) (had ? changed : added).push(after!);
      else if (had) removed.push(before!);
    }
    if (added.length + changed.length + removed.length === 0) return null;
    this.rows = this.#now();
    const ids = (rows: Row[]) => rows.sort(this.#query.before).map((row) => row.id);
    return { added: ids(added), changed: ids(changed), removed: ids(removed), origin };
  }

  end(): void {
    if (this.#view) this.#of.table.letGo(this.#view);
  }
}

/** One object. */
export class WatchOne {
  rows: readonly Row[];
  readonly #id: string;
  readonly #of: Rows;

  constructor(of: Rows, id: string) {
    this.#of = of;
    this.#id = id;
    this.rows = this.#now();
  }

  #now(): readonly Row[] {
    const row = this.#of.get(this.#id);
    return row ? [row] : [];
  }

  update(_: readonly Changed[], origin: Change["origin"]): Change | null {
    const before = this.rows, rows = this.#now();
    if (same(before, rows)) return null;
    this.rows = rows;
    return difference(before, rows, origin);
  }

  end(): void {}
}

export const same = (a: readonly Row[], b: readonly Row[]) => a.length === b.length && a.every((row, i) => row === b[i]);

/** What has changed between two answers. */
export function difference(before: readonly Row[], after: readonly Row[], origin: Change["origin"]): Change {
  const old = new Map(before.map((row) => [row.id, row]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const row of after) {
    const was = old.get(row.id);
    if (!was) added.push(row.id);
    else if (was !== row && !equal(was, row)) changed.push(row.id);
    old.delete(row.id);
  }
  return { added, changed, removed: [...old.keys()], origin };
}
