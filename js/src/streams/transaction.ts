import { invalid } from "../values/errors.js";
import type { Row } from "../values/row.js";
import { patched, validate, type Validators } from "../values/validate.js";
import { check, createHead, fieldsText, patchText, plain } from "../values/json.js";

/** The ops and guards of one atomic action, gathered while the app's function runs. */
export class Transaction {
  readonly ops: string[] = [];
  readonly guards: string[] = [];
  readonly #newID: () => string;
  readonly #id: (id: unknown) => string;
  readonly #validators: Validators | null;
  readonly #row: (id: string) => Row | undefined;
  readonly #written = new Map<string, Row>(); // what the ops so far make of an object, where a validator is asked
  #over = false;

  /** @internal */
  constructor(newID: () => string, id: (id: unknown) => string, validators: Validators | null, row: (id: string) => Row | undefined) {
    this.#newID = newID;
    this.#id = id;
    this.#validators = validators;
    this.#row = row;
  }

  create(type: string, fields: object, options: { id?: string } = {}): string {
    const at = this.#next();
    const head = createHead(type, options, at);
    const id = options.id ?? this.#newID();
    const text = fieldsText(fields, at);
    this.#check(id, type, fields, at);
    this.ops.push(`{"op":"create","object":${JSON.stringify(id)},"type":${head},"fields":${text}}`);
    return id;
  }

  update(id: string, patch: object): void {
    const at = this.#next();
    const parts = patchText(patch, at);
    const row = parts === "" || !this.#validators ? undefined : this.#written.get(id) ?? this.#row(id);
    if (row) this.#check(id, row.type, patched(row, patch), at);
    if (parts !== "") this.ops.push(`{"op":"update","object":${JSON.stringify(this.#id(id))},${parts.slice(1)}`);
  }

  remove(id: string): void {
    this.#next();
    this.ops.push(`{"op":"remove","object":${JSON.stringify(this.#id(id))}}`);
  }

  require(guard: object): void {
    this.#next();
    const at = `/if/${this.guards.length}`;
    plain(guard, at);
    check(guard, at);
    this.guards.push(JSON.stringify(guard));
  }

  #check(id: string, type: string, fields: object, at: string): void {
    if (!this.#validators || !Object.hasOwn(this.#validators, type)) return;
    validate(this.#validators, type, fields, at);
    this.#written.set(id, { ...fields, id, type });
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
