// Order and equality of JSON values, as the core has them: by what they say, whatever the order of their keys.

/** Absent, null, false, true, numbers, strings, the rest. */
export function rank(value: unknown): number {
  switch (typeof value) {
    case "undefined":
      return 0;
    case "boolean":
      return value ? 3 : 2;
    case "number":
      return 4;
    case "string":
      return 5;
    default:
      return value === null ? 1 : 6;
  }
}

/** Below zero where a stands before b, by UTF-16 code units among strings; objects and arrays by their canonical text. */
export function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  const r = rank(a);
  const c = r - rank(b);
  if (c !== 0 || r < 4) return c;
  if (r < 6) return (a as string) < (b as string) ? -1 : 1;
  const x = canonical(a), y = canonical(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The canonical text (RFC 8785) of a value that is JSON. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical((value as { [key: string]: unknown })[key])}`).join(",")}}`;
}
