// What a stream's objects are: their types, the fields of each, and what is asked of them. Given by hand as a type or an interface, or inferred from validators.

/** 36 characters, lower case. */
export type UUID = string;
/** What fields hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

declare const of: unique symbol;
/** The id of an object of a type. Any string may stand for one; the id of another type may not.
 * @example
 * const id = await stream.create("todo", { title: "Buy milk", done: false }); // Id<"todo">
 * stream.get(id)?.title; */
export type Id<T = string> = UUID & { readonly [of]?: T };

/** The types of a stream's objects, and the fields of each. */
export type Schema = { [type: string]: { [key: string]: Json | undefined } };
/** What a schema of one's own, be it a type or an interface, must be: fields of JSON, or of what a codec makes JSON of. `id` and `type` are in every row, and no fields. */
export type SchemaOf<S> = { [T in keyof S]: { [K in keyof S[T]]: K extends "id" | "type" ? (string extends keyof S[T] ? S[T][K] : never) : FieldOf<S[T][K]> } };
/** V where a field can hold it: functions cannot be held. */
export type FieldOf<V> = V extends (...args: never[]) => unknown ? never : V;
/** V where it is JSON or undefined. */
export type JsonOf<V> = V extends Json | undefined ? V : V extends (...args: never[]) => unknown ? never : V extends Coded ? never : V extends object ? { [K in keyof V]: JsonOf<V[K]> } : never;
/** What JSON cannot hold: it takes a codec. */
type Coded = Date | RegExp | Error | Promise<unknown> | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | ArrayBuffer | ArrayBufferView;
/** The keys of fields that take a codec. */
export type CodedKeys<F> = { [K in keyof F]-?: [F[K]] extends [JsonOf<F[K]>] ? never : K }[keyof F];

/** What is read is frozen, all through. */
export type Frozen<V> = V extends readonly (infer E)[] ? readonly Frozen<E>[]
  : V extends string | number | bigint | boolean | null | undefined | Coded ? V
  : V extends { [key: string]: Json } | { [key: string]: Json | undefined } ? { readonly [K in keyof V]: Frozen<V[K]> } : Plain<V> extends never ? V : { readonly [K in keyof V]: Frozen<V[K]> };
/** V where it is an interface of JSON, never where it is a class with methods. */
type Plain<V> = V extends object ? ({ [K in keyof V]-?: V[K] extends (...args: never[]) => unknown ? 1 : never }[keyof V] extends never ? V : never) : never;

/** An object as reads give it: frozen, and the same one until it changes. One of several types is narrowed by `row.type`.
 * @example
 * for (const row of stream.query()) if (row.type === "todo") console.log(row.title); */
export type Row<S = Schema, T extends keyof S = keyof S> = T extends keyof S ? { readonly id: Id<T>; readonly type: T } & Frozen<S[T]> : never;

/** In a patch: what becomes of a key, other than a value. Branded: plain JSON is never taken for one. */
export class FieldOp<V = unknown> { private constructor(); private readonly gives: V; }
/** In a patch: adds to a number, which is 0 where the key is absent. Two of them add up, whoever is first.
 * @example
 * stream.update(id, { likes: increment() }); */
export function increment(by?: number): FieldOp<number>;
/** In a patch: appends to an array those of the values that are not in it.
 * @example
 * stream.update(id, { tags: union("urgent") }); */
export function union<const E extends Json>(...values: E[]): FieldOp<readonly E[]>;
/** In a patch: takes the values out of an array.
 * @example
 * stream.update(id, { tags: without("urgent") }); */
export function without<const E extends Json>(...values: E[]): FieldOp<readonly E[]>;
/** In a patch: takes away a key that may be absent.
 * @example
 * stream.update(id, { due: unset() }); */
export function unset(): FieldOp<undefined>;

/** Keys and what becomes of them. An update says what they are to be, also where they are that already; edit says what it has changed. */
export type Patch<F = { [key: string]: Json | undefined }> = F extends unknown ? { readonly [K in keyof F]?: Value<F[K]> | OpOf<F[K]> } : never;
type Value<V> = Exclude<V, undefined>;
/** The operations that make sense of a field. */
type OpOf<V> =
  | (undefined extends V ? FieldOp<undefined> : never)
  | (Extract<V, number> extends never ? never : number extends V ? FieldOp<number> : never)
  | (Extract<V, readonly unknown[]> extends never ? never : FieldOp<readonly Element<V>[]>);
type Element<V> = V extends readonly (infer E)[] ? E : never;

/** What must hold of an object. Per key: a value that it equals, or comparisons, all of which hold. A key that begins with a slash is a path:
 * "/address/city", "/tags/0" (a slash in a key is written ~1, a tilde ~0). An object as a value is compared with eq.
 * @example
 * stream.query({ type: "todo", where: { done: false, or: [{ title: { startsWith: "A" } }, { "/address/city": "Ulm" }] } }); */
export type Where<F = { [key: string]: Json | undefined }> = string extends keyof F
  ? { readonly [key: string]: Json | Condition | Where<F> | readonly Where<F>[] | undefined } & Logic<F>
  : { readonly [K in KeysOf<F>]?: Matched<ValueOf<F, K>> } & { readonly [P in PathOf<F>]?: Matched<At<F, P>> } & { readonly id?: Matched<UUID> } & Logic<F>;
/** One of these holds; all; not that. A key of that name is written "/or"; so with and, not. */
export interface Logic<F> { readonly or?: readonly Where<F>[]; readonly and?: readonly Where<F>[]; readonly not?: Where<F> }
type Matched<V> = Direct<V> | Condition<V>;
/** An object could not be told from comparisons. */
type Direct<V> = V extends readonly unknown[] | string | number | bigint | boolean | null | Coded ? V : V extends object ? (Plain<V> extends never ? V : never) : never;
/** gt, gte, lt and lte hold between two numbers or two strings; in: one of; has: an array with this element. */
export interface Condition<V = Json> {
  readonly eq?: V;
  readonly ne?: V;
  readonly gt?: Sorted<V>;
  readonly gte?: Sorted<V>;
  readonly lt?: Sorted<V>;
  readonly lte?: Sorted<V>;
  readonly in?: readonly V[];
  readonly has?: Element<V>;
  readonly startsWith?: Extract<V, string> extends never ? never : string;
}
/** What is smaller or larger. */
type Sorted<V> = V extends string ? string : V extends number ? number : V extends bigint | Coded ? V : V extends readonly unknown[] | boolean | null ? never : V extends object ? (Plain<V> extends never ? V : never) : never;

/** The keys of each of some types. */
type KeysOf<F> = F extends unknown ? keyof F & string : never;
type ValueOf<F, K extends PropertyKey> = F extends unknown ? (K extends keyof F ? Exclude<F[K], undefined> : never) : never;
/** Paths into what lies under a key, to four deep. */
type PathOf<F> = F extends unknown ? PathIn<F, []> : never;
type PathIn<V, D extends 1[]> = D["length"] extends 4 ? `/${string}` : V extends readonly (infer E)[] ? `/${number}` | `/${number}${PathIn<E, [...D, 1]>}`
  : V extends string | number | bigint | boolean | null | undefined | Coded ? never : V extends object ? { [K in keyof V & string]-?: `/${K}` | `/${K}${PathIn<Exclude<V[K], undefined>, [...D, 1]>}` }[keyof V & string] : never;
/** What lies under a path. */
type At<F, P> = F extends unknown ? (P extends `/${infer K}/${infer Rest}` ? Under<F, K> extends infer V ? (V extends unknown ? At<V, `/${Rest}`> : never) : never : P extends `/${infer K}` ? Under<F, K> : never) : never;
type Under<V, K> = V extends readonly (infer E)[] ? (K extends `${number}` ? E : never) : K extends keyof V ? Exclude<V[K], undefined> : never;

/** A key, or a path. */
type OrderKey<F> = string extends keyof F ? string : KeysOf<F> | PathOf<F> | "id" | "type";
/** By what rows are sorted. */
export type Order<F = { [key: string]: Json | undefined }> = OrderKey<F> | { readonly key: OrderKey<F>; readonly direction?: "asc" | "desc"; readonly collator?: Intl.Collator };

/** Which rows, in which order, and which part of them. */
export interface Query<S = Schema, T extends keyof S = keyof S> {
  /** Of any type, where left out. */
  readonly type?: T;
  readonly where?: Where<S[T]>;
  /** Absent, null, false, true, numbers, strings by UTF-16 code units, the rest; ties go by id. A collator compares strings as people read them. */
  readonly orderBy?: Order<S[T]> | readonly Order<S[T]>[];
  /** At most so many rows. */
  readonly limit?: number;
  /** Without the first so many. */
  readonly offset?: number;
  /** From behind this row on: one of a former answer, or its id and the keys that the query orders by. It need not be there any more. */
  readonly after?: { readonly id: UUID; readonly [key: string]: unknown } | null;
  /** What where cannot say. It is asked for each row that matches the rest, and has to give the same for the same row. */
  readonly filter?: (row: Row<S, T>) => boolean;
  /** Only objects that a pending action names, or only the others. */
  readonly pending?: boolean;
}

/** How a field that is not JSON is kept. What encode gives is what other clients, the server and `where` see; decode has to give the same for the same. It is asked once
 * for each state of an object, and what it gives is shared by all who read that.
 * @example
 * const date: Codec<Date, string> = { encode: (d) => d.toISOString(), decode: (s) => new Date(s), ordered: true }; */
export interface Codec<V, J extends Json = Json> {
  encode(value: V): J;
  decode(json: J): V;
  /** Whether what encode gives is in the order of the values: without it, a field cannot be sorted by, nor compared with gt and its like. */
  readonly ordered?: boolean;
}
/** A date and time, kept as "2026-01-02T03:04:05.678Z". */
export const date: Codec<Date, string>;
/** A whole number of any size, kept as its decimal digits; not in their order. */
export const bigint: Codec<bigint, string>;
/** Bytes, kept in base 64. */
export const bytes: Codec<Uint8Array, string>;

/** A row as it is kept, whichever version of the app has written it. */
export type KeptRow = { readonly id: UUID; readonly type: string; readonly [key: string]: Json };
/** Whether key a of a row was written later than key b: false where one action wrote both, where a is not there, or where a key of the row looks like a whole number. */
export type Newer = (a: string, b: string) => boolean;
/** How a type is lived with while its shape changes and older builds of the app are about. */
export interface Evolving<F> {
  /** Gives the fields of now of a row that any version has written, of JSON as it is kept. Asked once for each state of a row, when that comes: get, query, filter and live see what it
      gives. It has to give the same for the same, for any row, and at once. Of one for which it throws the row is given as it is kept; see `unviewed`.
   * @example
   * const schema = { todo: { view: (row: KeptRow, newer: Newer) => ({ ...row, title: newer("name", "title") ? row.name : row.title ?? row.name }) } }; */
  readonly view?: (row: KeptRow, newer: Newer) => { readonly [K in keyof F]?: unknown } | { readonly [key: string]: unknown };
  /** Gives what is added to a create (row is undefined) or to an update or edit, so that older builds see the change, too, in the same op, so that both stand or none: keys and their values,
      undefined for one that is to go; those that are written already stand. changes are the keys that are written, with what they will be, undefined for one that goes; the row is as it is viewed.
   * @example
   * const schema = { todo: { write: (changes: { title?: string }) => ("title" in changes ? { name: changes.title } : {}) } }; */
  readonly write?: (changes: { readonly [K in keyof F]?: any }, row: any) => { readonly [key: string]: unknown } | undefined;
}
/** What the view of a row's type has thrown, where the row is given as it is kept; else undefined.
 * @example
 * for (const row of todos.query()) if (unviewed(row)) console.warn(row.id, unviewed(row)); */
export function unviewed(row: { readonly id: UUID }): unknown;

/** What is known of the fields of one type: a Standard Schema validator (Zod, Valibot, ArkType, …), or that with codecs of fields that are not JSON, and how older shapes are seen. */
export type Shape<F> = StandardSchemaV1<unknown, F> | ({ readonly shape?: StandardSchemaV1<unknown, F>; readonly codecs?: CodecsOf<F> } & Evolving<F>);
/** A codec for each field that is not JSON; others may have one too. */
export type CodecsOf<F> = { readonly [K in CodedKeys<F>]-?: Codec<Exclude<F[K], undefined>, any> } & { readonly [K in Exclude<keyof F, CodedKeys<F>>]?: Codec<Exclude<F[K], undefined>, any> };
/** What is known of a stream's types; of one with fields that are not JSON it has to be said. */
export type ShapesOf<S> = { readonly [T in keyof S as CodedKeys<S[T]> extends never ? T : never]?: Shape<S[T]> }
  & { readonly [T in keyof S as CodedKeys<S[T]> extends never ? never : T]-?: { readonly shape?: StandardSchemaV1<unknown, S[T]>; readonly codecs: CodecsOf<S[T]> } & Evolving<S[T]> };
/** Validators of types, of which a schema is inferred. */
export type Shapes = { readonly [type: string]: StandardSchemaV1 | ({ readonly shape: StandardSchemaV1; readonly codecs?: { readonly [key: string]: Codec<any, any> } } & Evolving<any>) };
/** The schema that validators say. */
export type Inferred<V> = { -readonly [T in keyof V]: OutputOf<V[T] extends StandardSchemaV1 ? V[T] : V[T] extends { readonly shape: infer W } ? W : never> };
/** Codecs where a validator says of a field that it is not JSON. */
export type Coding<V> = { readonly [T in keyof V]: CodedKeys<Inferred<V>[T]> extends never ? unknown : { readonly codecs: CodecsOf<Inferred<V>[T]> } };
type OutputOf<V> = V extends { readonly "~standard": { readonly types?: infer T } } ? (Exclude<T, undefined> extends { readonly output: infer O } ? O : never) : never;

/** https://standardschema.dev */
export interface StandardSchemaV1<I = unknown, O = I> {
  readonly "~standard": { readonly version: 1; readonly vendor: string; readonly validate: (value: unknown) => unknown; readonly types?: { readonly input: I; readonly output: O } | undefined };
}

/** What an action does to one object. */
export type Op =
  | { op: "create"; object: UUID; type: string; fields: { [key: string]: Json }; lock?: true }
  | { op: "update"; object: UUID; set?: { [key: string]: Json }; unset?: string[]; inc?: { [key: string]: number };
      union?: { [key: string]: Json[] }; without?: { [key: string]: Json[] } }
  | { op: "remove" | "unlock"; object: UUID };
/** exists: the object, or its key, is there or not. equals: the key has this value. unchanged: nobody else has written the object since. */
export type Guard =
  | { object: UUID; exists: boolean } | { object: UUID; key: string; exists: boolean }
  | { object: UUID; key: string; equals: Json } | { object: UUID; unchanged: true };
/** seq is null until the action is committed to the local log. for: the client that has made it, and its seq there, where it was taken over from a bundle. */
export type Action = { id: UUID; client: UUID; seq: number | null; base: number; at: string; ops: Op[]; if?: Guard[]; atomic?: true; meta?: Json; for?: [client: UUID, seq: number] };
