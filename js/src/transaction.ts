import { invalid } from "./errors.js";
import { check, createHead, fieldsText, patchText, plain } from "./json.js";

/** The ops and guards of one atomic action, gathered while the app's function runs. */
export class Transaction {
  readonly ops: string[] = [];
  readonly guards: string[] = [];
  readonly #newID: () => string;
  readonly #id: (id: unknown) => string;
  #over = false;

  /** @internal */
  constructor(newID: () => string, id: (id: unknown) => string) {
    this.#newID = newID;
    this.#id = id;
  }

  create(type: string, fields: object, options: { id?: string } = {}): string {
    const head = createHead(type, options);
    const id = options.id ?? this.#newID();
    this.#add(`{"op":"create","object":${JSON.stringify(id)},"type":${head},"fields":${fieldsText(fields)}}`);
    return id;
  }

  update(id: string, patch: object): void {
    const parts = patchText(patch);
    if (parts !== "") this.#add(`{"op":"update","object":${JSON.stringify(this.#id(id))},${parts.slice(1)}`);
  }

  remove(id: string): void {
    this.#add(`{"op":"remove","object":${JSON.stringify(this.#id(id))}}`);
  }

  require(guard: object): void {
    this.#open();
    plain(guard, "");
    check(guard, "");
    this.guards.push(JSON.stringify(guard));
  }

  #add(op: string): void {
    this.#open();
    this.ops.push(op);
  }

  #open(): void {
    if (this.#over) throw invalid("", "the transaction is over: its function has returned");
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
