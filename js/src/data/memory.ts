// What data streams keep where the browser keeps nothing: in the memory of this context, by the rules of IndexedDB.
import { order, Span } from "./span.js";
import type { Name, Tx } from "./store.js";

type Rows = Map<string, { key: IDBValidKey; value: unknown }>;

export class Memory {
  readonly #stores: { [name in Name]?: Rows } = {};
  #last: Promise<unknown> = Promise.resolve();

  /** Runs body when those before it have ended. What it did is taken back if it fails. */
  run<T>(body: (tx: Tx) => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      const undo: (() => void)[] = [];
      try {
        return await body(new MemoryTx((name) => (this.#stores[name] ??= new Map()), undo));
      } catch (e) {
        for (const f of undo.reverse()) f();
        throw e;
      }
    });
    this.#last = run.catch(() => {});
    return run;
  }
}

class MemoryTx implements Tx {
  constructor(
    readonly rows: (store: Name) => Rows,
    readonly undo: (() => void)[],
  ) {}

  #in(store: Name, range: Span | null) {
    return [...this.rows(store).values()].filter((r) => !range || range.includes(r.key)).sort((a, b) => order(a.key, b.key));
  }
  async get<T>(store: Name, key: IDBValidKey): Promise<T | undefined> {
    return structuredClone(this.rows(store).get(String(key))?.value as T | undefined);
  }
  async all<T>(store: Name, range: Span | null, count?: number): Promise<T[]> {
    return this.#in(store, range).slice(0, count).map((r) => structuredClone(r.value as T));
  }
  async byID<T>(store: Name, id: string): Promise<T[]> {
    return (await this.all<T & { id: string }>(store, null)).filter((row) => row.id === id);
  }
  async walk<T>(store: Name, range: Span, each: (row: T) => boolean): Promise<void> {
    for (const row of await this.all<T>(store, range)) if (!each(row)) return;
  }
  async count(store: Name, range: Span): Promise<number> {
    return this.#in(store, range).length;
  }
  put(store: Name, value: unknown, key?: IDBValidKey): void {
    const { name, stream, n } = value as { name: string; stream: string; n: number };
    key ??= store === "streams" ? name : [stream, n];
    this.#set(store, key, { key, value });
  }
  delete(store: Name, key: IDBValidKey | Span): void {
    if (key instanceof Span) for (const r of this.#in(store, key)) this.#set(store, r.key, undefined);
    else this.#set(store, key, undefined);
  }
  #set(store: Name, key: IDBValidKey, to: { key: IDBValidKey; value: unknown } | undefined): void {
    const rows = this.rows(store), at = String(key), was = rows.get(at);
    const set = (row: typeof to) => (row ? rows.set(at, row) : rows.delete(at));
    this.undo.push(() => set(was));
    set(to);
  }
}
