// What the bindings of all frameworks have in common: something is open as long as somebody is there, and a live value is followed, also beyond its end.
import type { Database, DataStream, Live, Query, Row, Schema, Stream, SyncError } from "../../types/strandline.js";

/** What is being opened: undefined until it is there. */
export type Opened<T> = { readonly it: T | undefined; readonly error: SyncError | undefined };

export const opening: Opened<never> = Object.freeze({ it: undefined, error: undefined });

/** Where there is no page nothing is opened: what is rendered there shows what stands for nothing. */
export const noPage = typeof document === "undefined";

/** Throws where a framework is older than the bindings need, with what would help. */
export function needs(framework: string, least: string, has: unknown, version: unknown): void {
  if (has === undefined) throw new Error(`strandline: ${framework} ${least} or later is needed, and this is ${String(version ?? "an older one")}: npm install ${framework.toLowerCase()}@latest`);
}

/** Opens something, tells of it and of its end, until it is let go of by what this gives. Opens are counted: who has it open beside this one keeps it. */
export function opened<T extends Database | Stream | DataStream>(open: () => Promise<T>, tell: (is: Opened<T>) => void): () => void {
  let wanted = true;
  const say = (is: Opened<T>) => wanted && tell(is);
  const made = open();
  made.then(
    (it) => {
      say({ it, error: undefined });
      void it.closed.then((error) => say({ it: undefined, error }));
    },
    (error: SyncError) => say({ it: undefined, error }),
  );
  return () => {
    wanted = false;
    made.then((it) => it.close()).catch(() => {});
  };
}

/** Calls changed after each change of a live value. One that has ended changes no more. */
export function follow<T>(live: Live<T, never>, changed: () => void): () => void {
  try {
    return live.subscribe(changed);
  } catch {
    return () => {};
  }
}

/** The value of something live: the last one, once that has ended; instead, where there is none. */
export class Current<T> {
  #of: Live<T, never> | undefined;
  #last: T;

  constructor(readonly instead: T) {
    this.#last = instead;
  }

  of(live: Live<T, never> | undefined): T {
    if (!live) return this.instead;
    try {
      this.#last = live.current;
      this.#of = live;
    } catch {
      if (this.#of !== live) return this.instead; // it had ended before anybody looked
    }
    return this.#last;
  }
}

/** A value, or a function that gives it. */
export type Given<T> = T | (() => T);
export const valueOf = <T>(given: Given<T>): T => (typeof given === "function" ? (given as () => T)() : given);

/** Whether each of some values is the same. */
export const alike = (a: readonly unknown[], b: readonly unknown[]): boolean => a.every((value, i) => value === b[i]);

export type AnyRow = Row<Schema, string>;
export type AnyQuery = Query<Schema, string>;
export const none: readonly never[] = Object.freeze([]);

/** What a query says, but for functions and collators. */
export const keyOf = (query: object): string => JSON.stringify(query, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

/** Live rows of a stream, the same value as long as stream and query are. Queries that say the same may be made anew; one with functions or collators is another one. */
export class LiveRows {
  #stream: Stream | undefined;
  #query: AnyQuery | undefined;
  #key = "";
  #live: Live<readonly AnyRow[], never> | undefined;

  of(stream: Stream | undefined, query: AnyQuery): Live<readonly AnyRow[], never> | undefined {
    const key = keyOf(query);
    if (stream === this.#stream && key === this.#key && (query === this.#query || !hasCode(query))) return this.#live; // the same object may say something else by now
    this.#stream = stream;
    this.#query = query;
    this.#key = key;
    return (this.#live = stream && (stream.live(query) as Live<readonly AnyRow[], never>));
  }
}

/** Whether there is something in it that JSON does not tell: functions, collators, values of classes other than dates. */
function hasCode(part: unknown): boolean {
  if (typeof part === "function") return true;
  if (typeof part !== "object" || part === null || part instanceof Date) return false;
  const proto: unknown = Object.getPrototypeOf(part);
  return (!Array.isArray(part) && proto !== null && proto !== Object.prototype) || Object.values(part).some(hasCode);
}
