// What is read of a stream: its rows, once and as values that follow them.
import { liveCount, liveRow, liveRows, type LiveCount, type LiveRow, type LiveRows } from "../rows/live.js";
import { Notifier } from "../rows/notifier.js";
import { read, type Query } from "../rows/query.js";
import type { Rows } from "../rows/rows.js";
import type { Change } from "../rows/watch.js";
import type { Ending, Until } from "../values/ending.js";
import { invalid } from "../values/errors.js";
import type { Life } from "../values/life.js";
import type { Row } from "../values/row.js";
import type { Shapes } from "../values/shapes.js";
import { later } from "../values/timers.js";

/** The rows of a query, or one object, as a value that follows it. */
interface LiveReads {
  (q?: object): LiveRows;
  (id: string): LiveRow;
  count(q?: object): LiveCount;
}

/** The stream. */
interface Of {
  readonly life: Life;
  readonly rows: Rows;
  readonly shapes: Shapes;
  warn(code: string, message: string, cause: unknown): void;
}

export class Reads<Told extends object> {
  readonly live: LiveReads & Told;
  readonly #of: Of;
  readonly #notifier: Notifier;

  /** told is what else can be followed. */
  constructor(of: Of, told: Told) {
    this.#of = of;
    this.#notifier = new Notifier(of.rows, { ready: () => !of.life.ended && of.rows.readable, later, warn: of.warn });
    const { rows, shapes } = of, notifier = this.#notifier, check = () => this.#check();
    const live = (q: object | string = {}) => (typeof q === "string" ? liveRow(rows, notifier, q, check, (row) => shapes.row(row)) : liveRows(rows, notifier, this.#read(q), check, (all) => shapes.rows(all)));
    const count = (q: object = {}) => liveCount(rows, notifier, this.#read(q), check);
    this.live = Object.assign(live, told, { count }) as LiveReads & Told;
  }

  #read(q: object): Query {
    return read(this.#of.shapes.query(q));
  }

  /** Rows that are there can be read while the program is started anew. */
  #check(): void {
    const { life, rows } = this.#of;
    if (life.ended || !rows.readable) life.check();
  }

  get(id: string): Row | undefined {
    this.#check();
    return typeof id === "string" ? this.#of.shapes.row(this.#of.rows.get(id)) : undefined;
  }

  query(q: object): readonly Row[] {
    this.#check();
    return this.#of.shapes.rows(this.#of.rows.query(this.#read(q)));
  }

  count(q: object): number {
    this.#check();
    return this.#of.rows.count(this.#read(q));
  }

  subscribe(q: object, fn: (rows: readonly Row[], change: Change) => void, options: Until): Ending {
    this.#check();
    if (typeof fn !== "function") throw invalid("", "subscribe takes a function");
    return this.#notifier.subscribe(this.#read(q), (rows, change) => fn(this.#of.shapes.rows(rows), change), () => this.#of.life.ended, options);
  }

  /** The rows have changed: remote tells by what came from elsewhere. */
  changed(remote: boolean): void {
    this.#of.rows.changed();
    this.#notifier.changed(remote);
  }

  end(): void {
    this.#notifier.end();
  }
}
