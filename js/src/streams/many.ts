// Many new objects as few actions.
import { invalid, InvalidError } from "../values/errors.js";
import { createHead, fieldsText, plain } from "../values/json.js";
import type { Shapes } from "../values/shapes.js";
import { begin, type Write } from "../values/write.js";

// Of one action; the core's own limits are 1,000 ops and 256 KiB, with what stands around them.
const mostOps = 1000;
const mostBytes = 240 << 10;

/** Ops of one action: which of all is the first, and how many they are. */
export type Part = { readonly first: number; readonly n: number; readonly ops: string };

/** Ops as the ops of as few actions as they fit in, in their order. */
export function parts(ops: readonly string[]): Part[] {
  const out: Part[] = [];
  let first = 0, bytes = 0;
  const cut = (to: number) => {
    if (to > first) out.push({ first, n: to - first, ops: `[${ops.slice(first, to).join(",")}]` });
    [first, bytes] = [to, 0];
  };
  for (const [i, op] of ops.entries()) {
    const size = sizeOf(op);
    if (i - first === mostOps || bytes + size > mostBytes) cut(i);
    bytes += size + 1;
  }
  cut(ops.length);
  return out;
}

/** Of UTF-8. */
const sizeOf = (text: string) => (/^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length);

/** One of many that are to be made. */
export interface Item {
  readonly type: string;
  /** The type as JSON. */
  readonly head: string;
  readonly fields: object;
  /** The fields as JSON. */
  readonly text: string;
  /** The object's id, where it has one. */
  readonly id: string | null;
  /** Whether that came from the app. */
  readonly given: boolean;
}

/** Those of create: they are all of one type, and have no id yet. */
export function created(type: string, rows: readonly object[], options: object, shapes: Shapes): Item[] {
  const head = createHead(type, options);
  if (Object.keys(options).length > 0) throw invalid("", "the options of create are for one object");
  return rows.map((row, i) => {
    const fields = shapes.encode(type, row, `/${i}`);
    return { type, head, fields, text: fieldsText(shapes.add(type, fields, undefined, `/${i}`), `/${i}`), id: null, given: false };
  });
}

/** Those of rows as reads give them. */
export function imported(rows: readonly unknown[], shapes: Shapes): Item[] {
  if (!Array.isArray(rows)) throw invalid("", "import takes an array of rows");
  const ids = new Set<string>();
  return rows.map((row, i) => {
    plain(row, `/${i}`);
    const { id, type, ...given } = row, fields = shapes.encode(type, given, `/${i}`);
    if (typeof id !== "string" || !uuid.test(id)) throw invalid(`/${i}/id`, "is no lower-case UUID");
    if (ids.has(id)) throw existing(i);
    ids.add(id);
    return { type: type as string, head: createHead(type, {}, `/${i}/type`), fields, text: fieldsText(shapes.add(type as string, fields, undefined, `/${i}`), `/${i}`), id, given: true };
  });
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An object with the id of one of them is there. */
export const existing = (i: number) =>
  new InvalidError({ code: "exists", path: `/${i}/id`, message: `exists at /${i}/id: an object with this id exists` });

/** The op that makes it. */
export const op = ({ id, head, text }: Item) => `{"op":"create","object":"${id}","type":${head},"fields":${text}}`;

/** Whether the core may refuse an object that is plain JSON: for a key, half of a surrogate pair, or its size. */
export const doubtful = (fields: object, text: string) =>
  text.length > mostBytes / 4 || text.includes("\\ud") || Object.keys(fields).some((key) => key === "" || key.length > 42 || key === "id" || key === "type");

/** An error of many whose place is known: it is about one op, which is alone. */
export const alone = (error: unknown, at: number) =>
  error instanceof InvalidError && error.code === "too-large" && !error.path ? new InvalidError({ code: error.code, message: error.message, path: `/${at}` }) : error;

/** Several writes as one: durable, and in the log, when all are; none at all is, at the head of now. */
export function joined<T>(writes: readonly Write<unknown>[], value: T, head: number): Write<T> {
  const { write, resolve, reject } = begin<T>();
  if (writes.length > 0) write.action = writes[0]!.action;
  Promise.all(writes).then(() => resolve(value), reject);
  Promise.all(writes.map((w) => w.persisted)).then(
    (all) => write.settle(all.length > 0 ? Math.max(...all) : head, null),
    (e: unknown) => write.fail(e),
  );
  return write;
}
