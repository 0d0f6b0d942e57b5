// Where errors point.
import { invalid, InvalidError, SyncError } from "./errors.js";

/** The error as it is for the caller: paths point into what was given; in a transaction the number of the op comes first, from a first one on. */
export function outside(e: unknown, transaction: boolean, first = 0): unknown {
  if (!(e instanceof SyncError) || (e.code !== "malformed" && e.code !== "too-large")) return e;
  const inner = (e as InvalidError).path ?? /^\S+ at (\S+):/.exec(e.message)?.[1] ?? "";
  const op = /^\/ops(?:\/(\d+)(\/(fields|set|unset|inc|union|without))?)?/;
  const path = inner.replace(op, (_, n?: string) => (transaction && n ? `/${first + Number(n)}` : ""));
  const why = e.message.replace(/^\S+( at \S+)?: /, "");
  if (e.code !== "too-large") return invalid(path, why);
  return new InvalidError({ code: e.code, path, message: e.message });
}
