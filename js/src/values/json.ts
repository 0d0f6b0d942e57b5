// What apps hand over is checked before it becomes text: JSON.stringify drops or rewrites what is not JSON.
import { invalid } from "./errors.js";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const maxDepth = 60; // of a value; the action around it has the rest of 64

/** A key as a part of a JSON pointer. */
export const escape = (key: string) => key.replace(/~/g, "~0").replace(/\//g, "~1");

/** Throws InvalidError with the path of the first part of a value that is not JSON. */
export function check(value: unknown, path: string, depth = maxDepth): void {
  switch (typeof value) {
    case "boolean":
    case "string":
      return;
    case "number":
      if (!Number.isFinite(value)) throw invalid(path, `${value} is no JSON number`);
      return;
    case "object":
      break;
    default:
      throw invalid(path, `a value of type ${typeof value} is not JSON`);
  }
  if (value === null) return;
  if (depth === 0) throw invalid(path, "the value is nested too deep, or in a circle");
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") throw invalid(path, "a value with a function toJSON is not JSON");
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], `${path}/${i}`, depth - 1);
    return;
  }
  plain(value, path);
  for (const key of Object.keys(value)) {
    const member = (value as { [key: string]: unknown })[key];
    if (member !== undefined) check(member, `${path}/${escape(key)}`, depth - 1);
  }
}

/** Throws unless value is a plain object: an instance of a class would lose what it is. */
export function plain(value: unknown, path: string): asserts value is { [key: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, "is no object");
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== null && Object.getPrototypeOf(proto) !== null) {
    if (operation in value && !(value instanceof FieldOp)) throw invalid(path, "an operation of another copy of strandline: load it once (npm ls strandline)");
    throw invalid(path, `an instance of ${value.constructor?.name || "a class"} is not JSON`);
  }
}

/** The text of fields, checked. */
export function fieldsText(fields: unknown, at = ""): string {
  plain(fields, at);
  check(fields, at, maxDepth + 1);
  return JSON.stringify(sorted(fields));
}

/** The same with its keys in the order of canonical JSON, which is JavaScript's of strings: the program reads such a text in one pass. It does with any
    other what it takes. */
function sorted(of: { [key: string]: unknown }): { [key: string]: unknown } {
  const keys = Object.keys(of);
  let i = 1;
  while (i < keys.length && keys[i - 1]! < keys[i]!) i++;
  if (i >= keys.length || keys.includes("__proto__")) return of;
  const same: { [key: string]: unknown } = {};
  for (const key of keys.sort()) same[key] = of[key];
  return same;
}

/** The type of a create as JSON text; type and options checked. */
export function createHead(type: unknown, options: { id?: unknown }, at = ""): string {
  if (typeof type !== "string" || type === "") throw invalid(at, "the type is no name");
  plain(options, at);
  for (const key of Object.keys(options)) if (key !== "id") throw invalid(`${at}/${escape(key)}`, "is no option of create: the options stand after the fields, and id is the only one");
  const { id } = options;
  if (id !== undefined && (typeof id !== "string" || id.length !== 36)) throw invalid(`${at}/id`, "is no lower-case UUID");
  return JSON.stringify(type);
}

type Part = "inc" | "union" | "without" | "unset";

const operation = Symbol.for("strandline.operation"); // of all copies of this

/** A field operation of a patch: made by increment, union, without and unset alone, so that plain JSON is never taken for one. */
export class FieldOp {
  readonly [operation] = true;
  readonly part: Part;
  readonly value: unknown;
  /** @internal */
  constructor(part: Part, value: unknown) {
    this.part = part;
    this.value = value;
  }
}

export const increment = (by = 1): FieldOp => new FieldOp("inc", by);
export const union = (...values: Json[]): FieldOp => new FieldOp("union", values);
export const without = (...values: Json[]): FieldOp => new FieldOp("without", values);

export const unset = (): FieldOp => new FieldOp("unset", null);

/** The parts of an update as JSON text; empty where the patch changes nothing. */
export function patchText(patch: unknown, at = ""): string {
  plain(patch, at);
  const parts: { [part: string]: { [key: string]: unknown } } = {};
  const gone: string[] = [];
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    const path = `${at}/${escape(key)}`;
    if (value === undefined) throw invalid(path, "is undefined: unset() takes a key away"); // an empty form is not to take anything away in silence
    if (value instanceof FieldOp && value.part === "unset") {
      gone.push(key);
      continue;
    }
    const part = value instanceof FieldOp ? value.part : "set";
    const plainValue = value instanceof FieldOp ? value.value : value;
    if (part === "inc" && typeof plainValue !== "number") throw invalid(path, "an increment is a number");
    check(plainValue, path);
    (parts[part] ??= Object.create(null) as { [key: string]: unknown })[key] = plainValue;
  }
  if (parts.set) parts.set = sorted(parts.set);
  if (gone.length > 0) parts.unset = gone as unknown as { [key: string]: unknown };
  return Object.keys(parts).length > 0 ? JSON.stringify(parts) : "";
}

/** Freezes a parsed value all through. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const key of Object.keys(value)) freeze((value as { [key: string]: unknown })[key]);
    Object.freeze(value);
  }
  return value;
}
