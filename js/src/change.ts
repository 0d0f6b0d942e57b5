// What has changed between two answers of a live query.
import type { Row } from "./rows.js";

export type Change = { added: readonly string[]; changed: readonly string[]; removed: readonly string[]; origin: "local" | "remote" | "mixed" };

export function difference(before: readonly Row[], after: readonly Row[], origin: Change["origin"]): Change {
  const old = new Map(before.map((row) => [row.id, row]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const row of after) {
    const was = old.get(row.id);
    if (!was) added.push(row.id);
    else if (was !== row) changed.push(row.id);
    old.delete(row.id);
  }
  return { added, changed, removed: [...old.keys()], origin };
}
