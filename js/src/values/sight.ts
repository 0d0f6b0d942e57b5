// Rows as this build of an app wants to see them, whichever version of it has written them.
import { freeze } from "./json.js";
import type { Row } from "./row.js";

/** Whether a key of the row was written later than another; false where both were written by one action, or the first one is not there. */
export type Newer = (a: string, b: string) => boolean;
/** Gives the shape of now of any row that any version has written. */
export type Viewing = (row: Row, newer: Newer) => object;

/** In rows of types with a view: how many of its keys each write has, in the order of the writes, which is that of the keys. No field has this name. */
const order = "";

/** A row without what says in which order its keys were written. */
export function bare(row: Row): Row {
  if (row[order] === undefined) return row;
  const { [order]: _, id, type, ...fields } = row;
  return { id, type, ...fields };
}

/** Whether it says that. */
export const tells = (row: Row): boolean => Array.isArray(row[order]);

const failures = new WeakMap<object, unknown>();

/** What the view of a row's type has thrown: then the row is given as it is kept. undefined for a row that could be viewed. */
export const unviewed = (row: object): unknown => failures.get(row);

/** The same row, given otherwise, is as unviewed. */
export function passOn(from: object, to: object): void {
  if (failures.has(from)) failures.set(to, failures.get(from));
}

export class Sight {
  readonly #views: (type: string) => Viewing | undefined;
  readonly #warn: (message: string, cause: unknown) => void;
  readonly #warned = new Set<string>(); // types

  /** warn is told of each type whose view throws. */
  constructor(views: (type: string) => Viewing | undefined, warn: (message: string, cause: unknown) => void) {
    this.#views = views;
    this.#warn = warn;
  }

  /** There are other views now. */
  again(): void {
    this.#warned.clear();
  }

  readonly see = (row: Row): Row => {
    const view = this.#views(row.type), kept = bare(row);
    if (!view) return kept;
    const { id, type } = freeze(kept);
    try {
      const seen: unknown = view(kept, newerIn(kept, row[order]));
      if (seen === kept) return kept;
      if (typeof seen !== "object" || seen === null || Array.isArray(seen) || typeof (seen as PromiseLike<void>).then === "function") throw new TypeError("a view gives an object of fields, at once");
      const out: { [key: string]: unknown; id: string; type: string } = { id, type };
      for (const [key, value] of Object.entries(seen)) if (value !== undefined && key !== "id" && key !== "type") put(out, key, json(value, 1));
      return out;
    } catch (e) {
      if (!this.#warned.has(type)) this.#warn(`the view of ${type} throws; its rows are given as they are kept`, e);
      this.#warned.add(type);
      failures.set(kept, e);
      return kept;
    }
  };
}

function put(to: { [key: string]: unknown }, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true });
  else to[key] = value;
}

/** A copy of what a view gives, which may be an app's own: JSON, or an error. */
function json(value: unknown, depth: number): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (typeof value !== "object" || depth > 64) throw new TypeError("a view gives JSON");
  if (Array.isArray(value)) return value.map((v) => json(v, depth + 1));
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) throw new TypeError("a view gives JSON");
  const out = {};
  for (const [key, v] of Object.entries(value)) if (v !== undefined) put(out, key, json(v, depth + 1));
  return out;
}

/** What tells which of two keys of a row was written last. */
function newerIn(row: Row, counts: unknown): Newer {
  let writes: Map<string, number> | null = null;
  return (a, b) => {
    if (!writes) {
      writes = new Map();
      const keys = Object.keys(row).filter((key) => key !== "id" && key !== "type");
      if (keys.some((key) => /^\d+$/.test(key))) return false; // these come first, whenever they were written
      let at = 0;
      for (const [n, count] of (Array.isArray(counts) ? (counts as number[]) : []).entries()) for (let i = 0; i < count; i++) writes.set(keys[at++]!, n);
    }
    const x = writes.get(a);
    return x !== undefined && x > (writes.get(b) ?? -1);
  };
}
