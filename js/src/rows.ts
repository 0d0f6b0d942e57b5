// Rows as apps get them: frozen, and the same object for as long as the content is the same.
import { freeze } from "./json.js";
import { ABSENT, type Runtime } from "./runtime.js";

export type Row = { readonly id: string; readonly type: string; readonly [key: string]: unknown };

export class Rows {
  /** By version: the core gives each content its own. */
  readonly #kept = new Map<number, WeakRef<Row>>();
  #sweepAt = 4096;
  readonly #runtime: Runtime;
  readonly #handle: number;

  constructor(runtime: Runtime, handle: number) {
    this.#runtime = runtime;
    this.#handle = handle;
  }

  get(id: unknown): Row | undefined {
    const r = this.#runtime;
    if (!r.inputID(id) || r.status(r.exports.strandline_get(this.#handle)) === ABSENT) return undefined;
    const slot = r.header[2]!;
    const version = r.header[3]!;
    return this.#kept.get(version)?.deref() ?? this.#fetch([slot], [version])[0];
  }

  /** The rows that the last call's output names, as pairs of slot and version. */
  take(): readonly Row[] {
    const pairs = this.#runtime.numbers();
    const rows = new Array<Row>(pairs.length / 2);
    const missing: number[] = [];
    const slots: number[] = [];
    const versions: number[] = [];
    for (let i = 0; i < rows.length; i++) {
      const row = this.#kept.get(pairs[2 * i + 1]!)?.deref();
      if (row) rows[i] = row;
      else {
        missing.push(i);
        slots.push(pairs[2 * i]!);
        versions.push(pairs[2 * i + 1]!);
      }
    }
    if (missing.length > 0) {
      const fetched = this.#fetch(slots, versions);
      for (let i = 0; i < missing.length; i++) rows[missing[i]!] = fetched[i]!;
    }
    return Object.freeze(rows);
  }

  /** Rows of another program that had the same content stay the rows. */
  keep(rows: readonly Row[], before: readonly Row[]): readonly Row[] {
    const old = new Map(before.map((row) => [row.id, row]));
    const versions = new Map<Row | undefined, number>();
    for (const [version, ref] of this.#kept) versions.set(ref.deref(), version);
    return Object.freeze(
      rows.map((row) => {
        const was = old.get(row.id);
        if (!was || JSON.stringify(was) !== JSON.stringify(row)) return row;
        this.#kept.set(versions.get(row)!, new WeakRef(was));
        return was;
      }),
    );
  }

  #fetch(slots: number[], versions: number[]): Row[] {
    const r = this.#runtime;
    r.inputSlots(slots);
    r.status(r.exports.strandline_rows(this.#handle, slots.length));
    const rows = JSON.parse(r.text()) as Row[];
    for (let i = 0; i < rows.length; i++) this.#kept.set(versions[i]!, new WeakRef(freeze(rows[i]!)));
    if (this.#kept.size > this.#sweepAt) this.#sweep();
    return rows;
  }

  #sweep(): void {
    for (const [version, ref] of this.#kept) if (!ref.deref()) this.#kept.delete(version);
    this.#sweepAt = Math.max(4096, this.#kept.size * 2);
  }
}
