// An app's own rules for what it writes, as Standard Schema validators (https://standardschema.dev): they are asked before an action is made, and
// only asked: what they give back is not written.
import { escape, FieldOp } from "./json.js";
import { invalid } from "./errors.js";
import type { Row } from "./row.js";

export interface StandardSchema {
  readonly "~standard": { readonly version: 1; readonly validate: (value: unknown) => unknown };
}
type Fields = { [key: string]: unknown };

/** Throws InvalidError with the path of the first issue. */
export function validate(validator: StandardSchema, fields: unknown, at = ""): void {
  let result;
  try {
    result = validator["~standard"].validate(fields) as { issues?: readonly { message: string; path?: readonly unknown[] }[]; then?: unknown } | undefined;
  } catch (e) {
    throw invalid(at, `the validator throws: ${e instanceof Error ? e.message : String(e)}`);
  }
  if (typeof result?.then === "function") throw invalid(at, "a validator has to answer at once");
  if (typeof result !== "object" || result === null) throw invalid(at, "the validator gave no result");
  if (result.issues === undefined) return;
  const issue = result.issues[0] ?? { message: "is not valid" };
  const keys = (issue.path ?? []).map((key) => (typeof key === "object" && key !== null ? (key as { key: unknown }).key : key));
  throw invalid(at + keys.map((key) => `/${escape(String(key))}`).join(""), issue.message);
}

/** What an object's fields are after a patch. */
export function patched(row: Row | Fields, patch: object): Fields {
  const { id: _id, type: _type, ...fields } = row as Row;
  const next: Fields = { ...fields };
  for (const [key, value] of Object.entries(patch)) {
    const now = next[key];
    if (value === undefined || (value instanceof FieldOp && value.part === "unset")) delete next[key];
    else if (!(value instanceof FieldOp)) Object.defineProperty(next, key, { value, enumerable: true, configurable: true, writable: true }); // __proto__ is a key
    else if (key === "__proto__") continue;
    else if (value.part === "inc") next[key] = ((now as number | undefined) ?? 0) + (value.value as number);
    else {
      const array = (now as unknown[] | undefined) ?? [];
      if (!Array.isArray(array)) continue; // the core refuses it
      const texts = new Set((value.value as unknown[]).map((v) => JSON.stringify(v)));
      if (value.part === "without") next[key] = array.filter((v) => !texts.has(JSON.stringify(v)));
      else {
        const there = new Set(array.map((v) => JSON.stringify(v)));
        next[key] = [...array, ...(value.value as unknown[]).filter((v) => !there.has(JSON.stringify(v)) && there.add(JSON.stringify(v)))];
      }
    }
  }
  return next;
}
