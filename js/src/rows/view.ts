// All rows that a query takes, in order, kept so while rows change: a change costs what it touches.
import type { Query } from "./query.js";
import type { Row } from "../values/row.js";

/** What has become of a row: undefined stands for none. */
export type Changed = { readonly before: Row | undefined; readonly after: Row | undefined };

/** Whether a query takes a row, before it is cut. */
export const takes = ({ type, test }: Query, row: Row): boolean => (type === null || row.type === type) && (test === null || test(row));

/** From so many changes on, sorting anew is cheaper than moving single rows. */
const many = 64;

export class View {
  readonly query: Query;
  /** Of the view itself; whoever hands them out copies them. */
  rows: Row[];
  /** How many changes in a row nobody has looked at it for. */
  idle = 0;
  /** How many live queries hold it. */
  held = 0;
  /** A change is not in it, or not whole. */
  stale = false;

  constructor(query: Query, rows: Row[]) {
    this.query = query;
    this.rows = rows.sort(query.before);
  }

  takes(row: Row | undefined): row is Row {
    return row !== undefined && takes(this.query, row);
  }

  /** Brings it up to date. */
  apply(changes: readonly Changed[]): void {
    if (changes.length > many && changes.length > this.rows.length / 16) {
      const gone = new Set<Row>(), come: Row[] = [];
      for (const { before, after } of changes) {
        if (this.takes(before)) gone.add(before);
        if (this.takes(after)) come.push(after);
      }
      if (gone.size > 0) this.rows = this.rows.filter((row) => !gone.has(row));
      if (come.length > 0) this.rows = this.#merged(come.sort(this.query.before));
      return;
    }
    for (const { before, after } of changes) {
      const had = this.takes(before), has = this.takes(after);
      const from = had ? this.place(before) : -1;
      if (had && has && this.query.before(before, after) === 0) {
        this.rows[from] = after;
        continue;
      }
      if (had) this.rows.splice(from, 1);
      if (has) this.rows.splice(this.place(after), 0, after);
    }
  }

  /** Where a row stands, or would stand. */
  place(row: Row): number {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.query.before(this.rows[mid]!, row) < 0) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  #merged(come: Row[]): Row[] {
    const { before } = this.query, rows = this.rows;
    const last = rows[rows.length - 1];
    if (!last || before(last, come[0]!) < 0) return rows.concat(come);
    const out: Row[] = [];
    let i = 0;
    for (const row of come) {
      while (i < rows.length && before(rows[i]!, row) < 0) out.push(rows[i++]!);
      out.push(row);
    }
    while (i < rows.length) out.push(rows[i++]!);
    return out;
  }

  /** The part that a query of this shape asks for, as an array of its own. */
  window({ offset, limit, after }: Query): Row[] {
    this.idle = 0;
    let from = 0;
    if (after) {
      from = this.place(after);
      if (this.rows[from]?.id === after.id) from++;
    }
    from += offset;
    return this.rows.slice(from, from + limit);
  }
}
