// Contexts of several builds beside one another: each says which it is when it begins.
declare const __VERSION__: string; // of the package; the build puts it in

export const version = __VERSION__;

/** Whether a version is newer than this script's. */
export function newer(other: string): boolean {
  const [a, b] = [other, version].map((v) => v.split(/[.-]/).map((part) => Number(part) || 0));
  for (let i = 0; i < 3; i++) if (a![i] !== b![i]) return (a![i] ?? 0) > (b![i] ?? 0);
  return false;
}
