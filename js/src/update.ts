// Contexts of several builds beside one another: each says which it is when it begins.
declare const __VERSION__: string; // of the package; the build puts it in

export const version = __VERSION__;

/** Positive where a is the newer version, negative where b is; a version comes after those that lead to it (1.0.0-beta). */
export function compare(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => /^(\d+)\.(\d+)\.(\d+)(?:-(.*))?$/.exec(v) ?? ["", "0", "0", "0", ""]);
  for (let i = 1; i < 4; i++) if (x![i] !== y![i]) return Number(x![i]) - Number(y![i]);
  const [p, q] = [x![4] ?? "", y![4] ?? ""];
  if (p === q) return 0;
  return p === "" ? 1 : q === "" ? -1 : p.localeCompare(q, "en", { numeric: true });
}
