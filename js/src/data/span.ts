// Places between two keys of a store. Keys are [stream, place], and a place is a number, or a text behind all numbers.

type Place = readonly [stream: string, at: number | string];

/** Compares keys, as IndexedDB does. */
export function order(a: IDBValidKey, b: IDBValidKey): number {
  if (typeof a === "string" || typeof b === "string") return a < b ? -1 : a > b ? 1 : 0; // of a store whose keys are names
  const [s, n] = a as unknown as Place, [t, m] = b as unknown as Place;
  if (s !== t) return s < t ? -1 : 1;
  if (typeof n !== typeof m) return typeof n === "number" ? -1 : 1;
  return n < m ? -1 : n > m ? 1 : 0;
}

/** Both ends are in it. */
export class Span {
  constructor(
    readonly from: Place,
    readonly to: Place,
  ) {}

  includes(key: IDBValidKey): boolean {
    return order(this.from as unknown as IDBValidKey, key) <= 0 && order(key, this.to as unknown as IDBValidKey) <= 0;
  }

  /** For IndexedDB. */
  get range(): IDBKeyRange {
    return IDBKeyRange.bound(this.from, this.to);
  }
}

/** The rows of a stream behind a place, up to another one; places are whole numbers from 0 on. */
export const rows = (stream: string, after = -1, upTo = Infinity) => new Span([stream, after + 0.5], [stream, Math.max(upTo, after + 0.5)]);

/** What is kept beside the blocks of a stream. */
export const beside = (stream: string) => new Span([stream, ""], [stream, "\uffff"]);
