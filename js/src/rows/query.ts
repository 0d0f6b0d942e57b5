// A query as it is asked: what it takes, in which order, and which part of that.
import { invalid } from "../values/errors.js";
import { escape, plain } from "../values/json.js";
import type { Row } from "../values/row.js";
import { compare } from "./values.js";
import { checkKey, compile, getter, type Exact, type Test } from "./where.js";

export type Order = string | { readonly key: string; readonly direction?: "asc" | "desc"; readonly collator?: Intl.Collator };

/** A query that was read. Two of the same shape ask for the same rows in the same order, whichever part of them. */
export interface Query {
  readonly shape: string | null; // null where a function is in it
  readonly type: string | null;
  readonly test: Test | null; // beside the type
  readonly exact: readonly Exact[];
  readonly before: (a: Row, b: Row) => number;
  readonly byID: boolean;
  readonly pending: boolean | null;
  readonly limit: number; // Infinity for none
  readonly offset: number;
  readonly after: Row | null;
}

const byID = (a: Row, b: Row) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const parts = ["type", "where", "orderBy", "limit", "offset", "after", "filter", "pending"];

/** Reads a query; what is wrong with it is an InvalidError with its path. */
export function read(q: unknown): Query {
  plain(q, "");
  for (const key of Object.keys(q)) {
    if (!parts.includes(key)) throw invalid(`/${escape(key)}`, "is no part of a query");
    if (q[key] === undefined && (key === "type" || key === "where")) throw invalid(`/${key}`, "is undefined"); // it must not show everything
  }
  const { type = null, where, filter, pending = null, after } = q;
  if (type !== null && (typeof type !== "string" || type === "")) throw invalid("/type", type === "" ? "is empty" : "is no string");
  if (filter !== undefined && typeof filter !== "function") throw invalid("/filter", "is no function");
  if (pending !== null && typeof pending !== "boolean") throw invalid("/pending", "is neither true nor false");
  const exact: Exact[] = [];
  const test = where === undefined ? null : compile(where, "/where", exact);
  const orders = q.orderBy === undefined ? [] : readOrders(q.orderBy);
  const functions = filter !== undefined || pending !== null || orders.some((o) => o.collator);
  return {
    shape: functions ? null : JSON.stringify([type, where, orders.map((o) => [o.key, o.desc])]),
    type: type as string | null,
    test: filter ? (row) => (!test || test(row)) && Boolean((filter as Test)(row)) : test,
    exact,
    before: orders.length === 0 ? byID : comparer(orders),
    byID: orders.length === 0,
    pending: pending as boolean | null,
    limit: count(q.limit, "/limit", Infinity),
    offset: count(q.offset, "/offset", 0),
    after: after === undefined || after === null ? null : cursor(after),
  };
}

function count(value: unknown, at: string, absent: number): number {
  if (value === undefined) return absent;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw invalid(at, "is no whole number from zero on");
  return value;
}

/** A row of a former answer, or what a page has kept of it: its id and what it is sorted by. */
function cursor(value: unknown): Row {
  plain(value, "/after");
  if (typeof value.id !== "string") throw invalid("/after", "is no row: it has no id");
  return value as Row;
}

interface ReadOrder {
  key: string;
  desc: boolean;
  collator: Intl.Collator | undefined;
}

function readOrders(orderBy: unknown): ReadOrder[] {
  const list = Array.isArray(orderBy) ? (orderBy as unknown[]) : [orderBy];
  return list.map((order, i) => {
    const at = Array.isArray(orderBy) ? `/orderBy/${i}` : "/orderBy";
    if (typeof order === "string") {
      checkKey(order, at);
      return { key: order, desc: false, collator: undefined };
    }
    plain(order, at);
    for (const name of Object.keys(order)) if (!["key", "direction", "collator"].includes(name)) throw invalid(`${at}/${escape(name)}`, "is no part of an order");
    const { key, direction = "asc", collator } = order;
    if (key === undefined) throw invalid(`${at}/key`, "is missing");
    checkKey(key, `${at}/key`);
    if (direction !== "asc" && direction !== "desc") throw invalid(`${at}/direction`, "is neither asc nor desc");
    if (collator !== undefined && typeof (collator as Intl.Collator).compare !== "function") throw invalid(`${at}/collator`, "is no Intl.Collator");
    return { key, desc: direction === "desc", collator: collator as Intl.Collator | undefined };
  });
}

/** Ties go by id, whatever the direction. */
function comparer(orders: ReadOrder[]): (a: Row, b: Row) => number {
  const by = orders.map(({ key, desc, collator }) => {
    const get = getter(key), sign = desc ? -1 : 1;
    if (!collator) return (a: Row, b: Row) => sign * compare(get(a), get(b));
    return (a: Row, b: Row) => {
      const x = get(a), y = get(b);
      return sign * (typeof x === "string" && typeof y === "string" ? collator.compare(x, y) : compare(x, y));
    };
  });
  if (by.length === 1) {
    const one = by[0]!;
    return (a, b) => one(a, b) || byID(a, b);
  }
  return (a, b) => {
    for (const one of by) {
      const c = one(a, b);
      if (c !== 0) return c;
    }
    return byID(a, b);
  };
}
