// Many new objects as few actions.
import { begin, type Write } from "./write.js";

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

/** Whether the core may refuse an object that is plain JSON: for a key, half of a surrogate pair, or its size. */
export const doubtful = (fields: object, text: string) =>
  text.length > mostBytes / 4 || text.includes("\\ud") || Object.keys(fields).some((key) => key === "" || key.length > 42 || key === "id" || key === "type");

/** Several writes as one: durable, and in the log, when all are. */
export function joined<T>(writes: readonly Write<unknown>[], value: T): Write<T> {
  const { write, resolve, reject } = begin<T>();
  write.action = writes[0]!.action;
  Promise.all(writes).then(() => resolve(value), reject);
  Promise.all(writes.map((w) => w.persisted)).then(
    (all) => write.settle(Math.max(...all), null),
    (e: unknown) => write.fail(e),
  );
  return write;
}
