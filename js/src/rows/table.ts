// The rows of a stream as people see them. The core says what they are; all reading happens here.
import { freeze } from "../values/json.js";
import { ExactIndex } from "./exact.js";
import type { Query } from "./query.js";
import { bare, tells, unviewed } from "../values/sight.js";
import type { Row } from "../values/row.js";
import { equal } from "../values/equal.js";
import { takes, View, type Changed } from "./view.js";

/** So many changes in a row, and a view or an index that nobody has asked in that time is dropped. */
const idleChanges = 200;
/** A query of a shape that was asked so often before is kept up to date from then on. */
const often = 1;
const maxShapes = 256;
const maxViews = 32; // that nobody holds

export class Table {
  readonly #rows = new Map<string, Row>();
  readonly #views = new Map<string, View>();
  readonly #held = new Set<View>(); // by live queries, and of no shape
  readonly #exact = new Map<string, ExactIndex>();
  readonly #asked = new Map<string, number>(); // shapes, and keys that must be exact
  /** What rows were before the first change since somebody took it. */
  #since = new Map<string, Row | undefined>();
  /** Says that a row may be another. */
  version = 0;
  /** How many there are who take what has changed. */
  watchers = 0;
  #see: ((row: Row) => Row) | null;
  #telling = false; // some row tells in which order its keys were written

  /** see gives a row as it is shown; null keeps rows as they come, until somebody says how. */
  constructor(see: ((row: Row) => Row) | null = bare) {
    this.#see = see;
  }

  /** A row as it is shown. */
  seen(row: Row): Row {
    return this.#see ? this.#see(row) : row;
  }

  /** Whether each row of these types, as it came, tells in which order its keys were written. */
  tells(types: readonly string[]): boolean {
    if (types.length > 0) for (const row of this.#rows.values()) if (types.includes(row.type) && !tells(row)) return false;
    return true;
  }

  /** How many rows could not be viewed. */
  get unviewed(): number {
    let n = 0;
    for (const row of this.#rows.values()) if (unviewed(row) !== undefined) n++;
    return n;
  }

  /** Shows rows that were kept as they came. */
  show(see: (row: Row) => Row, all: boolean): void {
    this.#see = see;
    if (all || this.#telling) for (const [id, row] of this.#rows) this.#rows.set(id, freeze(see(row)));
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  /** Forgets all rows. */
  clear(): void {
    this.#rows.clear();
    this.version++;
  }

  ids(): IterableIterator<string> {
    return this.#rows.keys();
  }

  /** Puts in what the core gives: rows, and the ids of those that are gone. One that says the same stays the row that it was. */
  put(rows: readonly Row[], gone: readonly string[]): void {
    const changes: Changed[] = [];
    const told = this.watchers + this.#views.size + this.#held.size + this.#exact.size > 0;
    for (const given of rows) {
      const row = this.seen(given), before = this.#rows.get(row.id);
      if (!this.#see) this.#telling ||= tells(row);
      else if (before && equal(before, row) && unviewed(before) === unviewed(row)) continue;
      this.#rows.set(row.id, freeze(row));
      this.version++;
      if (told) changes.push({ before, after: row });
    }
    for (const id of gone) {
      const before = this.#rows.get(id);
      if (!before || !this.#rows.delete(id)) continue;
      this.version++;
      if (told) changes.push({ before, after: undefined });
    }
    if (changes.length === 0) return;
    for (const { before, after } of this.watchers > 0 ? changes : []) {
      const { id } = (before ?? after)!;
      if (!this.#since.has(id)) this.#since.set(id, before);
    }
    for (const [shape, view] of this.#views) {
      if (view.held === 0 && ++view.idle > idleChanges) this.#views.delete(shape);
      else view.apply(changes);
    }
    for (const view of this.#held) {
      try {
        view.apply(changes);
      } catch { // an app's own filter threw
        view.stale = true;
      }
    }
    for (const [key, index] of this.#exact) {
      if (++index.idle > idleChanges) this.#exact.delete(key);
      else index.apply(changes);
    }
  }

  /** What has changed since this was asked the last time. */
  take(): readonly Changed[] {
    const changes: Changed[] = [];
    for (const [id, before] of this.#since) {
      const after = this.#rows.get(id);
      if (before !== after && !(before && after && equal(before, after))) changes.push({ before, after });
    }
    this.#since = new Map();
    return changes;
  }

  /** The rows that a query asks for, in an array of its own. */
  query(q: Query): Row[] {
    const view = this.#kept(q);
    if (view) return view.window(q);
    const rows = this.#found(q);
    if (q.after || q.limit + q.offset >= rows.length) return new View(q, rows).window(q);
    return first(rows, q).slice(q.offset, q.offset + q.limit);
  }

  count(q: Query): number {
    const { limit, offset } = q;
    if (q.after) return this.query(q).length;
    const n = q.type === null && q.test === null ? this.size : this.#kept(q)?.rows.length ?? this.#found(q).length;
    return Math.min(Math.max(0, n - offset), limit);
  }

  /** A view that is kept until it is let go of. */
  hold(q: Query): View {
    const view = (q.shape === null ? undefined : this.#views.get(q.shape)) ?? new View(q, this.#found(q));
    view.held++;
    if (q.shape === null) this.#held.add(view);
    else this.#views.set(q.shape, view);
    return view;
  }

  /** Makes a view anew whose filter threw; it may throw again. */
  renew(view: View): void {
    if (!view.stale) return;
    view.rows = this.#found(view.query).sort(view.query.before);
    view.stale = false;
  }

  letGo(view: View): void {
    if (--view.held > 0) return;
    view.idle = 0;
    this.#held.delete(view);
    if (view.query.shape !== null && this.#views.size > maxViews) this.#views.delete(view.query.shape);
  }

  /** The view of a shape that is asked again and again. */
  #kept(q: Query): View | undefined {
    if (q.shape === null) return undefined;
    const view = this.#views.get(q.shape);
    if (view || !this.#again(q.shape)) return view;
    if (this.#views.size >= maxViews) {
      let oldest: string | undefined, idle = -1;
      for (const [shape, v] of this.#views) if (v.held === 0 && v.idle > idle) [oldest, idle] = [shape, v.idle];
      if (oldest === undefined) return undefined;
      this.#views.delete(oldest);
    }
    const made = new View(q, this.#found(q));
    this.#views.set(q.shape, made);
    return made;
  }

  /** Whether this was asked before, often enough. */
  #again(what: string): boolean {
    const n = this.#asked.get(what) ?? 0;
    if (n >= often) return true;
    if (this.#asked.size >= maxShapes) this.#asked.clear();
    this.#asked.set(what, n + 1);
    return false;
  }

  /** All rows that a query takes, in no order. */
  #found(q: Query): Row[] {
    const out: Row[] = [];
    for (const row of this.#candidates(q)) if (takes(q, row)) out.push(row);
    return out;
  }

  #candidates(q: Query): Iterable<Row> {
    let best: { index: ExactIndex; values: readonly unknown[]; n: number } | undefined;
    const exact = q.type === null ? q.exact : [...q.exact, { key: "type", values: [q.type] }];
    for (const { key, values } of exact) {
      let index = this.#exact.get(key);
      if (!index && this.#again(` ${key}`)) this.#exact.set(key, (index = new ExactIndex(key, this.#rows.values())));
      const n = index?.count(values) ?? Infinity;
      if (index && (!best || n < best.n)) best = { index, values, n };
    }
    return best && best.n < this.size / 2 ? best.index.of(best.values) : this.#rows.values();
  }
}

/** The first rows in order, as many as are asked for, without sorting the rest. */
function first(rows: Row[], { before, limit, offset }: Query): Row[] {
  const most = offset + limit;
  let best: Row[] = [];
  let full = false; // best is sorted and has most rows: what sorts behind them is out
  for (const row of rows) {
    if (full && before(row, best[most - 1]!) > 0) continue;
    best.push(row);
    if (best.length > 2 * most + 64) {
      best = best.sort(before).slice(0, most);
      full = most > 0;
    }
  }
  return best.sort(before).slice(0, most);
}
