// The options of a stream.
import { invalid } from "./errors.js";
import { escape } from "./json.js";
import type { StandardSchema, Validators } from "./validate.js";

export interface StreamOptions {
  conflictFree?: boolean;
  conflicts?: number;
  validate?: { [type: string]: StandardSchema | undefined };
}

const known = new Set(["conflictFree", "conflicts", "validate"]);

/** Throws InvalidError where the options are none. */
export function checkStreamOptions(o: StreamOptions): void {
  if (typeof o !== "object" || o === null) throw invalid("", "stream takes an object of options");
  for (const key of Object.keys(o)) if (!known.has(key)) throw invalid(`/${escape(key)}`, "is no option");
  if (o.conflictFree !== undefined && typeof o.conflictFree !== "boolean") throw invalid("/conflictFree", "is neither true nor false");
  if (o.conflicts !== undefined && !(Number.isInteger(o.conflicts) && o.conflicts > 0 && o.conflicts <= 1e6)) throw invalid("/conflicts", "is no number from 1 to 1,000,000");
  for (const [type, schema] of Object.entries(o.validate ?? {})) {
    if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") throw invalid(`/validate/${escape(type)}`, "is no Standard Schema validator");
  }
}

/** A copy of the validators, null where there are none. */
export const validatorsOf = (o: StreamOptions): Validators | null => (o.validate ? { ...o.validate } : null);
