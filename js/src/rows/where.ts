// What a query asks of an object, made into one function.
import { invalid } from "../values/errors.js";
import { check, escape, plain } from "../values/json.js";
import type { Row } from "../values/row.js";
import { equal } from "../values/equal.js";
import { rank } from "./values.js";

export type Test = (row: Row) => boolean;

/** A key that must have one of some values which are no objects: what an index finds. */
export type Exact = { key: string; values: readonly unknown[] };

const operators: { [name: string]: (arg: unknown, at: string) => (value: unknown) => boolean } = {
  eq: (arg) => (value) => equal(value, arg),
  ne: (arg) => (value) => !equal(value, arg),
  gt: (arg) => ordered(arg, (value) => (value as number) > (arg as number)),
  gte: (arg) => ordered(arg, (value) => (value as number) >= (arg as number)),
  lt: (arg) => ordered(arg, (value) => (value as number) < (arg as number)),
  lte: (arg) => ordered(arg, (value) => (value as number) <= (arg as number)),
  in: (arg, at) => {
    if (!Array.isArray(arg)) throw invalid(at, "is no array");
    return (value) => arg.some((element) => equal(value, element));
  },
  has: (arg) => (value) => Array.isArray(value) && value.some((element) => equal(element, arg)),
  startsWith: (arg, at) => {
    if (typeof arg !== "string") throw invalid(at, "is no string");
    return (value) => typeof value === "string" && value.startsWith(arg);
  },
};

/** Between two numbers, or two strings, only. */
function ordered(arg: unknown, holds: (value: unknown) => boolean): (value: unknown) => boolean {
  const r = rank(arg);
  return r === 4 || r === 5 ? (value) => rank(value) === r && holds(value) : () => false;
}

/** Gives what lies under a key, or under a path like /address/city. */
export function getter(key: string): (row: Row) => unknown {
  if (key.startsWith("/")) {
    const parts = key.slice(1).split("/").map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
    return (row) => parts.reduce<unknown>((value, part) => (typeof value === "object" && value !== null && Object.hasOwn(value, part) ? (value as Row)[part] : undefined), row);
  }
  if (key in Object.prototype) return (row) => (Object.hasOwn(row, key) ? row[key] : undefined);
  return (row) => row[key];
}

/** The value as JSON has it, a copy of the caller's. */
function argument(value: unknown, at: string): unknown {
  if (value === undefined) throw invalid(at, "is undefined");
  check(value, at);
  wellFormed(value, at);
  return typeof value === "object" && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}

/** Half of a surrogate pair is in no object. */
function wellFormed(value: unknown, at: string): void {
  if (typeof value === "string") {
    try {
      encodeURIComponent(value);
    } catch {
      throw invalid(at, "holds half of a surrogate pair");
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      wellFormed(key, at);
      wellFormed(member, `${at}/${escape(key)}`);
    }
  }
}

export function checkKey(key: unknown, at: string): asserts key is string {
  if (typeof key !== "string") throw invalid(at, "is no string");
  if (key === "") throw invalid(at, "is empty");
  wellFormed(key, at);
}

function members(value: unknown, at: string, of: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(at, of);
  plain(value, at);
  if (typeof value.toJSON === "function") throw invalid(at, "an object with a function toJSON is not JSON");
  return Object.entries(value);
}

/** Compiles conditions, all of which must hold; exact takes note of what an index can find. */
export function compile(where: unknown, at: string, exact: Exact[] = []): Test {
  const tests: Test[] = [];
  for (const [key, value] of members(where, at, "is no object of conditions")) {
    const here = `${at}/${escape(key)}`;
    if (key === "or" || key === "and") {
      if (!Array.isArray(value) || value.length === 0) throw invalid(here, `is no array of conditions; a key of that name is written "/${key}"`);
      const parts = value.map((part, i) => compile(part, `${here}/${i}`, key === "and" ? exact : []));
      tests.push(key === "or" ? (row) => parts.some((test) => test(row)) : (row) => parts.every((test) => test(row)));
    } else if (key === "not") {
      const test = compile(value, here);
      tests.push((row) => !test(row));
    } else {
      tests.push(...conditions(key, value, here, exact));
    }
  }
  if (tests.length === 1) return tests[0]!;
  return (row) => {
    for (const test of tests) if (!test(row)) return false;
    return true;
  };
}

function conditions(key: string, value: unknown, at: string, exact: Exact[]): Test[] {
  checkKey(key, at);
  const get = getter(key);
  const simple = (v: unknown) => typeof v !== "object" || v === null;
  if (value === undefined) throw invalid(at, "is undefined");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const arg = argument(value, at);
    if (!simple(arg)) return [(row) => equal(get(row), arg)];
    exact.push({ key, values: [arg] });
    return [(row) => get(row) === arg];
  }
  const ops = members(value, at, "");
  if (ops.length === 0) throw invalid(at, "has no comparison; an object as a value is compared with eq");
  return ops.map(([name, raw]) => {
    const here = `${at}/${escape(name)}`;
    if (!Object.hasOwn(operators, name)) throw invalid(here, "is no comparison; an object as a value is compared with eq");
    const arg = argument(raw, here);
    const holds = operators[name]!(arg, here);
    if (name === "eq" && simple(arg)) exact.push({ key, values: [arg] });
    if (name === "in" && (arg as unknown[]).every(simple)) exact.push({ key, values: [...new Set(arg as unknown[])] });
    return (row) => holds(get(row));
  });
}
