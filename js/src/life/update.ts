// Contexts of several builds beside one another: each says which it is when it begins.
declare const __VERSION__: string; // of the package; the build puts it in

export const version = __VERSION__;

/** Positive where a is the newer version, negative where b is; a version comes after those that lead to it (1.0.0-beta). */
function compare(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => /^(\d+)\.(\d+)\.(\d+)(?:-(.*))?$/.exec(v) ?? ["", "0", "0", "0", ""]);
  for (let i = 1; i < 4; i++) if (x![i] !== y![i]) return Number(x![i]) - Number(y![i]);
  const [p, q] = [x![4] ?? "", y![4] ?? ""];
  if (p === q) return 0;
  return p === "" ? 1 : q === "" ? -1 : p.localeCompare(q, "en", { numeric: true });
}

/** What is newer than this context. */
export type Update = { wasm: boolean; database: boolean };

/** What is newer than this context. Each is told once, and stays true. */
export class Updates {
  readonly #newer = { wasm: false, database: false };
  readonly #tell: (news: Update) => void;

  constructor(tell: (news: Update) => void) {
    this.#tell = tell;
  }

  add(what: "wasm" | "database"): void {
    if (this.#newer[what]) return;
    this.#newer[what] = true;
    queueMicrotask(() => this.#tell({ ...this.#newer }));
  }

  /** For somebody who comes late. */
  get known(): Update | undefined {
    return this.#newer.wasm || this.#newer.database ? { ...this.#newer } : undefined;
  }

  /** Another context is of some version: a newer one is news, and an older one wants to hear of this, which is told by true. */
  met(other: string): boolean {
    const which = compare(other, version);
    if (which > 0) this.add("wasm");
    return which < 0;
  }
}
