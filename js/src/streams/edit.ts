// What an app's function makes of a draft, as a patch.
import { invalid } from "../values/errors.js";
import { fieldsText, unset } from "../values/json.js";
import { equal } from "../values/equal.js";
import type { Row } from "../values/row.js";

export type Patch = { [key: string]: unknown };

/** Runs it over a copy of a row, and gives what it has changed. */
export function edited({ id: _id, type: _type, ...fields }: Row, fn: (draft: Patch) => void): Patch {
  const draft = structuredClone(fields) as Patch;
  const result: unknown = fn(draft);
  if (typeof (result as PromiseLike<void> | undefined)?.then === "function") throw invalid("", "edit takes a function that is not async");
  const patch = Object.create(null) as Patch;
  for (const key of Object.keys(fields)) if (!Object.hasOwn(draft, key) || draft[key] === undefined) patch[key] = unset();
  fieldsText(draft); // what is not JSON is told before it is compared as if it were
  for (const key of Object.keys(draft)) {
    const same = Object.hasOwn(fields, key) && equal(draft[key], fields[key]);
    if (draft[key] !== undefined && !same) patch[key] = draft[key];
  }
  return patch;
}
