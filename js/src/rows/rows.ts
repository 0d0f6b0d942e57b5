// How the rows of a stream come from the core into the table. The core tells that there is something new; it is fetched before the next
// read, or before live queries are told.
import { Table } from "./table.js";
import type { Query } from "./query.js";
import type { Row } from "../values/row.js";
import { equal } from "../values/equal.js";
import { bare, type Sight } from "../values/sight.js";
import { takes, View } from "./view.js";
import { same } from "./watch.js";

/** A part of what is new. */
export interface Piece {
  /** {"rows": […], "gone": [ids]} */
  readonly text: string;
  /** The first piece of all that there is: what is in none of its pieces is gone. */
  readonly whole: boolean;
  /** Another one follows. Until the last one is there, what came is of no state in particular. */
  readonly more: boolean;
}

/** Where rows come from. */
export interface Source {
  piece(): Piece;
  row(id: string): string | undefined;
  /** How many rows there are. */
  size(): number;
  /** The ids of all objects that pending actions name. */
  pending(): Iterable<string>;
  /** Whether the rows as of that record are all there is; then pieces give what is new since. Else they give everything, anew. */
  known(lsn: number): boolean;
  /** All rows as they are, piece by piece from the beginning. */
  proof(begin: boolean): Piece;
}

/** Rows that are there before their source is. */
export interface Known {
  readonly lsn: number;
  readonly table: Table;
  readonly pending: ReadonlySet<string>;
}

const maxAnswers = 32; // that are kept to be given again
const proofDelay = 500; // milliseconds after a start that has better things to do

export class Rows {
  readonly table: Table;
  #source: Source | null = null;
  #stale = true;
  #full = false; // it has been, at least once
  #filling = false; // in tasks of its own
  #staged = new Map<string, Row | null>();
  #whole = false;
  #pending: ReadonlySet<string> = new Set();
  #old = true; // what is pending may be another; without a source it stays as it was
  #lsn: number | null = null; // of rows that were there before the first source
  readonly #answers = new Map<string, { version: number; rows: readonly Row[] }>();
  readonly #later: (fn: () => void, ms?: number) => void;

  /** later calls a function in a task of its own. see gives rows as they are shown; viewed: some of them are others than what is kept. */
  constructor(later: (fn: () => void, ms?: number) => void, known?: Known, see: Sight["see"] = bare, viewed = false) {
    this.#later = later;
    this.table = known?.table ?? new Table(see);
    if (!known) return;
    this.table.show(see, viewed);
    this.#pending = known.pending;
    this.#lsn = known.lsn;
    this.#full = true;
    this.#stale = this.#old = false;
  }

  /** The rows come from here from now on, all of them at first; of rows that were there before, only what they are not. differ is called
      where those are not what this says of the same moment. */
  attach(source: Source, differ: () => void = () => {}): void {
    this.detach();
    this.#source = source;
    this.#old = true;
    if (this.#lsn !== null && source.known(this.#lsn)) this.#later(() => this.#prove(source, differ, true), proofDelay);
    else this.changed();
    this.#lsn = null;
  }

  /** Rows that were there before are compared with all that the source has. */
  doubt(): void {
    this.#lsn = null;
  }

  /** Compares the table with its source, a piece in each task. */
  #prove(source: Source, differ: () => void, begin: boolean): void {
    if (this.#source !== source) return;
    try {
      this.fresh();
      const { text, more } = source.proof(begin);
      const { rows, gone } = JSON.parse(text) as { rows: Row[]; gone: string[] };
      const right = rows.every((row) => equal(this.table.seen(row), this.table.get(row.id))) && !gone.some((id) => this.table.get(id)) && (more || source.size() === this.table.size);
      if (right && more) return this.#later(() => this.#prove(source, differ, false));
      if (right) return;
      source.known(-1);
      this.changed();
      differ();
    } catch {
      // the program has died: with the next one all rows are compared
    }
  }

  /** The source is gone. What is there stays. */
  detach(): void {
    this.#source = null;
    this.#staged.clear();
    this.#whole = false;
    if (!this.#full) this.table.clear(); // half of what was there
  }

  /** There is something new. */
  changed(): void {
    this.#stale = this.#old = true;
  }

  /** Whether rows can be read where there is no source. */
  get readable(): boolean {
    return this.#source !== null || this.#full;
  }

  get(id: string): Row | undefined {
    if (this.#stale && !this.#full && this.#source) {
      const text = this.#source.row(id);
      if (!this.#filling) this.#later(this.#fill);
      this.#filling = true;
      return text === undefined ? undefined : this.#single(text);
    }
    this.fresh();
    return this.table.get(id);
  }

  /** One row before the others are there: the same object when they are. */
  #single(text: string): Row {
    const row = JSON.parse(text) as Row;
    this.table.put([row], []);
    return this.table.get(row.id)!;
  }

  readonly #fill = (): void => {
    try {
      if (!this.step()) return this.#later(this.#fill);
    } catch {
      // the program has died; who reads next is told
    }
    this.#filling = false;
  };

  /** Takes what is new, all of it. Where the program dies of it, what was there is shown. */
  fresh(): void {
    try {
      while (!this.step());
    } catch (e) {
      if (this.#source || !this.#full) throw e;
    }
  }

  /** Takes a part of what is new; true when all of it is in the table. */
  step(): boolean {
    if (!this.#stale || !this.#source) return true;
    const { text, whole, more } = this.#source.piece();
    if (whole) {
      this.#whole = true;
      this.#staged.clear();
    }
    if (text !== "") {
      const { rows, gone } = JSON.parse(text) as { rows: Row[]; gone: string[] };
      // Before it was full nobody sees the table.
      if (!this.#full || (!more && !this.#whole && this.#staged.size === 0)) this.table.put(rows, gone);
      else {
        for (const row of rows) this.#staged.set(row.id, row);
        for (const id of gone) this.#staged.set(id, null);
      }
    }
    if (more) return false;
    this.#stale = false;
    if (this.#whole || this.#staged.size > 0) this.#land();
    return true;
  }

  #land(): void {
    const rows: Row[] = [], gone: string[] = [];
    for (const [id, row] of this.#staged) {
      if (row) rows.push(row);
      else gone.push(id);
    }
    if (this.#whole && this.#full) for (const id of this.table.ids()) if (!this.#staged.has(id)) gone.push(id);
    // Before it was full rows went in one by one, and what was removed or began anew meanwhile is told nowhere.
    if (this.#whole && !this.#full && this.table.size !== this.#source!.size()) {
      for (const id of this.table.ids()) if (this.#source!.row(id) === undefined) gone.push(id);
    }
    this.#full ||= this.#whole;
    this.#whole = false;
    this.#staged.clear();
    this.table.put(rows, gone);
  }

  /** For tests: in which rows the table is another than its source; null where it was never full. */
  differing(): string[] | null {
    if (!this.#full || !this.#source) return null;
    this.#source.size(); // who asks has a step that is under way done first, and its changes told
    this.fresh();
    const source = this.#source, ids = [...this.table.ids()];
    const wrong = ids.filter((id) => {
      const text = source.row(id);
      return text === undefined || !equal(this.table.seen(JSON.parse(text) as Row), this.table.get(id));
    });
    return source.size() === ids.length ? wrong : [...wrong, `${ids.length} rows of ${source.size()}`];
  }

  /** Whether an object is pending, as far as that is known without a source. */
  waits(id: string): boolean {
    return this.#pending.has(id);
  }

  /** The same array as before, where the rows are the same. */
  query(q: Query): readonly Row[] {
    this.fresh();
    const { version } = this.table;
    const key = q.shape === null || q.after ? null : `${q.limit} ${q.offset} ${q.shape}`;
    const last = key === null ? undefined : this.#answers.get(key);
    if (last?.version === version) return last.rows;
    const rows = this.table.query(this.#withPending(q));
    if (key === null) return Object.freeze(rows);
    if (this.#answers.size >= maxAnswers) this.#answers.clear();
    const answer = { version, rows: last && same(last.rows, rows) ? last.rows : Object.freeze(rows) };
    this.#answers.set(key, answer);
    return answer.rows;
  }

  /** The rows of a query where some objects are others; undefined stands for none. All of these are pending. */
  queryOver(q: Query, over: ReadonlyMap<string, Row | undefined>): readonly Row[] {
    const rows = this.query({ ...q, shape: null, limit: Infinity, offset: 0, after: null }).filter((row) => !over.has(row.id));
    if (q.pending !== false) for (const row of over.values()) if (row && takes(q, row)) rows.push(row);
    return Object.freeze(new View(q, rows).window(q));
  }

  count(q: Query): number {
    // How many there are the source knows without giving them out.
    if (!this.#full && this.#source && q.type === null && q.test === null && q.pending === null && !q.after) return Math.min(Math.max(0, this.#source.size() - q.offset), q.limit);
    this.fresh();
    return this.table.count(this.#withPending(q));
  }

  #withPending(q: Query): Query {
    const { pending, test } = q;
    if (pending === null) return q;
    if (this.#source && this.#old) {
      this.#pending = new Set(this.#source.pending());
      this.#old = false;
    }
    const ids = this.#pending;
    return { ...q, test: (row) => ids.has(row.id) === pending && (test === null || test(row)) };
  }
}
