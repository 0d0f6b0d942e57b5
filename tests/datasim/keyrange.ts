// What the memory store needs of IDBKeyRange, which Node has not.
type Key = number | string | readonly Key[];

function order(a: Key, b: Key): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const c = order(a[i] as Key, b[i] as Key);
      if (c !== 0) return c;
    }
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

class KeyRange {
  private constructor(
    readonly lower: Key,
    readonly upper: Key,
  ) {}
  static bound(lower: Key, upper: Key): KeyRange {
    return new KeyRange(lower, upper);
  }
  includes(key: Key): boolean {
    return order(this.lower, key) <= 0 && order(key, this.upper) <= 0;
  }
}

(globalThis as { IDBKeyRange?: unknown }).IDBKeyRange ??= KeyRange;
