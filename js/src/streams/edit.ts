// What an app's function makes of a draft, as a patch.
import { invalid } from "../values/errors.js";
import { fieldsText, unset } from "../values/json.js";
import { equal } from "../values/equal.js";
import type { Row } from "../values/row.js";
import type { Shapes } from "../values/shapes.js";

export type Patch = { [key: string]: unknown };

/** Runs it over a draft of a row, and gives what it has changed, as it is kept. */
export function edited(row: Row, fn: (draft: Patch) => void, shapes: Shapes): Patch {
  const { id: _id, type, ...fields } = row, given = shapes.draft(row), before = shapes.draft(row);
  const result: unknown = fn(given);
  if (typeof (result as PromiseLike<void> | undefined)?.then === "function") throw invalid("", "edit takes a function that is not async");
  const draft = shapes.encodeEdited(type, given, before, fields);
  const patch = Object.create(null) as Patch;
  for (const key of Object.keys(fields)) if (!Object.hasOwn(draft, key) || draft[key] === undefined) patch[key] = unset();
  fieldsText(draft); // what is not JSON is told before it is compared as if it were
  for (const key of Object.keys(draft)) {
    const same = Object.hasOwn(fields, key) && equal(draft[key], fields[key]);
    if (draft[key] !== undefined && !same) patch[key] = draft[key];
  }
  return patch;
}
