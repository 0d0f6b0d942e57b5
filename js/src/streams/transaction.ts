// The ops and guards of one atomic action, gathered while the app's function runs, and what they would make of the rows.
import { read } from "../rows/query.js";
import type { Rows } from "../rows/rows.js";
import { invalid, InvalidError } from "../values/errors.js";
import { check, createHead, fieldsText, freeze, patchText, plain } from "../values/json.js";
import type { Row } from "../values/row.js";
import type { Shapes } from "../values/shapes.js";

/** The stream that it is of. */
interface Of {
  readonly rows: Rows;
  readonly shapes: Shapes;
  newID(): string;
  /** The id of an object, or an error. */
  id(id: unknown): string;
  /** An object's row as ops, all about it, would leave it. */
  preview(object: string, ops: string): string | undefined;
}

export class Transaction {
  readonly ops: string[] = [];
  readonly guards: string[] = [];
  readonly #of: Of;
  readonly #about = new Map<string, number[]>(); // which ops are about an object
  readonly #made = new Map<string, Row | undefined>(); // what they make of it; looked at when somebody asks
  #version = -1; // of the rows beneath: fn may write elsewhere, too
  #over = false;

  /** @internal */
  constructor(of: Of) {
    this.#of = of;
  }

  create(type: string, fields: object, options: { id?: string } = {}): string {
    const at = this.#next(), { shapes } = this.#of;
    const head = createHead(type, options, at);
    const id = options.id ?? this.#of.newID();
    const kept = shapes.encode(type, fields, at), text = fieldsText(shapes.add(type, kept, undefined, at), at);
    shapes.validate(type, kept, at);
    this.#op(id, `{"op":"create","object":${JSON.stringify(id)},"type":${head},"fields":${text}}`);
    return id;
  }

  update(id: string, patch: object): void {
    const at = this.#next(), { shapes } = this.#of;
    const row = shapes.coded || shapes.adds || shapes.judges() ? this.#row(id) : undefined; // its type says what is asked of it
    const parts = patchText(shapes.add(row?.type, shapes.encode(row?.type, patch, at), row, at), at);
    if (parts === "") return;
    this.#op(id, `{"op":"update","object":${JSON.stringify(this.#of.id(id))},${parts.slice(1)}`);
    if (!row || !shapes.judges(row.type)) return;
    try {
      const { id: _id, type, ...made } = this.#row(id) ?? row;
      shapes.validate(type, made, at);
    } catch (e) {
      this.#takeBack(id); // fn may go on without it
      throw e;
    }
  }

  remove(id: string): void {
    this.#next();
    this.#op(id, `{"op":"remove","object":${JSON.stringify(this.#of.id(id))}}`);
  }

  require(guard: object): void {
    this.#next();
    const at = `/if/${this.guards.length}`;
    plain(guard, at);
    check(guard, at);
    this.guards.push(JSON.stringify(guard));
  }

  get(id: string): Row | undefined {
    this.#next();
    return typeof id === "string" ? this.#of.shapes.row(this.#row(id)) : undefined;
  }

  query(q: object = {}): readonly Row[] {
    this.#next();
    const { rows, shapes } = this.#of, asked = read(shapes.query(q));
    if (this.#about.size === 0) return shapes.rows(rows.query(asked));
    const over = new Map([...this.#about.keys()].map((id) => [id, this.#row(id)]));
    return shapes.rows(rows.queryOver(asked, over));
  }

  #op(id: string, op: string): void {
    const about = this.#about.get(id);
    if (about) about.push(this.ops.length);
    else this.#about.set(id, [this.ops.length]);
    this.#made.delete(id);
    this.ops.push(op);
  }

  #takeBack(id: string): void {
    this.ops.pop();
    const about = this.#about.get(id)!;
    if (about.length > 1) about.pop();
    else this.#about.delete(id);
    this.#made.delete(id);
  }

  /** An object as the ops so far make it. */
  #row(id: string): Row | undefined {
    const about = this.#about.get(id), { rows } = this.#of;
    if (!about) return rows.get(id);
    rows.fresh();
    if (rows.table.version !== this.#version) this.#made.clear();
    this.#version = rows.table.version;
    if (this.#made.has(id)) return this.#made.get(id);
    let text: string | undefined;
    try {
      text = this.#of.preview(id, `[${about.map((i) => this.ops[i]).join(",")}]`);
    } catch (e) {
      if (!(e instanceof InvalidError)) throw e;
      const path = e.path.replace(/^(?:\/ops)?\/(\d+)/, (_, i: string) => `/${about[Number(i)]}`); // among all ops
      throw new InvalidError({ code: e.code, path, message: e.message.replace(e.path, path) });
    }
    const row = text === undefined ? undefined : freeze(this.#of.rows.table.seen(JSON.parse(text) as Row));
    this.#made.set(id, row);
    return row;
  }

  /** The path of the next op: that of what is wrong with it begins with it. */
  #next(): string {
    if (this.#over) throw invalid("", "the transaction is over: its function has returned");
    return `/${this.ops.length}`;
  }

  /** @internal Runs the app's function: what it throws ends the transaction, and nothing is written. */
  run(fn: (tx: Transaction) => unknown): void {
    try {
      const result = fn(this) as PromiseLike<void> | undefined;
      if (typeof result?.then === "function") throw invalid("", "transact takes a function that is not async");
    } finally {
      this.#over = true;
    }
  }
}
