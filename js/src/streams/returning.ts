// The op that makes an object what it was.
import { equal } from "../values/equal.js";
import type { Row } from "../values/row.js";

/** now and then are rows as they are kept, null where there is none. An empty text where there is nothing to do. */
export function returning(now: Row | null, then: Row | null, object: string): string {
  if (!then) return now ? JSON.stringify({ op: "remove", object }) : "";
  const { id: _id, type, ...fields } = then;
  if (!now) return JSON.stringify({ op: "create", object, type, fields });
  const set = Object.fromEntries(Object.entries(fields).filter(([key, value]) => !Object.hasOwn(now, key) || !equal(now[key], value)));
  const unset = Object.keys(now).filter((key) => key !== "id" && key !== "type" && !Object.hasOwn(fields, key));
  if (Object.keys(set).length + unset.length === 0) return "";
  return JSON.stringify({ op: "update", object, ...(Object.keys(set).length > 0 && { set }), ...(unset.length > 0 && { unset }) });
}
