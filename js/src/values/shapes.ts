// What an app has said of a stream's types: validators, which are asked before an action is made, and codecs of fields that are not JSON. Below this everything is JSON.
import type { Codec } from "./codecs.js";
import { equal } from "./equal.js";
import { invalid, InvalidError } from "./errors.js";
import { escape, FieldOp, plain, unset } from "./json.js";
import type { Row } from "./row.js";
import { passOn, Sight, type Viewing } from "./sight.js";
import { patched, validate, type StandardSchema } from "./validate.js";

type Codecs = { readonly [key: string]: Codec };
type Fields = { [key: string]: unknown };
/** What a write adds to an op, so that older builds see it: of the changes and of the row before, which a create has none of. */
type Adding = (changes: Fields, row: Row | undefined) => unknown;
type Shape = { readonly validator: StandardSchema | null; readonly codecs: Codecs | null; readonly view?: Viewing | undefined; readonly write?: Adding | undefined };

/** As apps give it. */
export type ShapesGiven = { readonly [type: string]: StandardSchema | { readonly shape?: StandardSchema; readonly codecs?: Codecs; readonly view?: Viewing; readonly write?: Adding } | undefined };

const standard = (of: unknown): of is StandardSchema => typeof (of as StandardSchema | undefined)?.["~standard"]?.validate === "function";

const parts = new Set(["shape", "codecs", "view", "write"]);

/** Reads what an app gives; what is wrong with it is an InvalidError. */
export function readShapes(given: ShapesGiven): Map<string, Shape> {
  const out = new Map<string, Shape>();
  if (typeof given !== "object" || given === null) throw invalid("/schema", "is no object");
  for (const [type, of] of Object.entries(given)) {
    const at = `/schema/${escape(type)}`;
    if (of === undefined) continue;
    if (standard(of)) {
      out.set(type, { validator: of, codecs: null });
      continue;
    }
    if (typeof of !== "object" || of === null || Object.keys(of).some((key) => !parts.has(key))) {
      throw invalid(at, "is neither a Standard Schema validator nor { shape, codecs, view, write }");
    }
    const { shape = null, codecs = null, view, write } = of as { shape?: unknown; codecs?: Codecs; view?: Viewing; write?: Adding };
    for (const [key, fn] of Object.entries({ view, write })) if (fn !== undefined && typeof fn !== "function") throw invalid(`${at}/${key}`, "is no function");
    if (shape !== null && !standard(shape)) throw invalid(`${at}/shape`, "is no Standard Schema validator");
    for (const [key, codec] of Object.entries(codecs ?? {})) {
      if (typeof codec?.encode !== "function" || typeof codec.decode !== "function") throw invalid(`${at}/codecs/${escape(key)}`, "is no codec: it has encode and decode");
    }
    out.set(type, { validator: shape, codecs, view, write });
  }
  return out;
}

const withView = (types: ReadonlyMap<string, Shape>): string[] => [...types].flatMap(([type, shape]) => (shape.view ? [type] : []));

/** The types that have a view. */
export const viewed = (given: ShapesGiven = {}): string[] => withView(readShapes(given));

export class Shapes {
  /** Whether there is a codec. */
  coded = false;
  /** Whether there is something to add to writes. */
  adds = false;
  /** How rows are shown. */
  readonly sight: Sight;
  readonly #warn: (code: string, message: string, cause: unknown) => void;
  #types = new Map<string, Shape>();
  #given = new WeakMap<object, unknown>(); // what is given out, of what is kept, and of lists of that
  #kept = new WeakMap<object, Row>(); // the other way round

  /** warn is told what a codec cannot read, and what a view cannot show. */
  constructor(given: ShapesGiven | undefined, warn: (code: string, message: string, cause: unknown) => void) {
    this.#warn = warn;
    this.sight = new Sight((type) => this.#types.get(type)?.view, (message, e) => warn("view", message, e));
    if (given) this.set(given);
  }

  set(given: ShapesGiven): void {
    this.#types = readShapes(given);
    this.coded = [...this.#types.values()].some((shape) => shape.codecs);
    this.sight.again();
    this.adds = [...this.#types.values()].some((shape) => shape.write);
    this.#given = new WeakMap();
    this.#kept = new WeakMap();
  }

  /** The types that have a view. */
  get viewed(): readonly string[] {
    return withView(this.#types);
  }

  /** Whether the rows of a type are viewed. */
  view(type: string): boolean {
    return this.#types.get(type)?.view !== undefined;
  }

  /** Changes, as they are kept, with what is added for older builds: fields of a create, or a patch of a row. Keys that are written already stand. */
  add<T extends object>(type: string | undefined, changes: T, row: Row | undefined, at = ""): T {
    const write = type === undefined ? undefined : this.#types.get(type)?.write;
    if (!write) return changes;
    const after: Fields = row ? patched(row, changes) : { ...(changes as Fields) };
    const added: unknown = write(Object.freeze(Object.fromEntries(Object.keys(changes).map((key) => [key, after[key]]))), row);
    if (added === undefined) return changes;
    if (typeof added !== "object" || added === null || Array.isArray(added) || typeof (added as PromiseLike<void>).then === "function") throw invalid(at, `write of ${type!} gives no object of keys, at once`);
    const all: Fields = { ...(changes as Fields) };
    for (const [key, value] of Object.entries(added)) {
      if (Object.hasOwn(changes, key)) continue;
      if (value !== undefined) all[key] = value;
      else if (row) all[key] = unset();
    }
    return all as T;
  }

  /** Whether there is a validator of a type; of any, where none is named. */
  judges(type?: string): boolean {
    return type === undefined ? [...this.#types.values()].some((shape) => shape.validator) : this.#types.get(type)?.validator != null;
  }

  /** Throws InvalidError where fields, as they are kept, are not valid. */
  validate(type: string, fields: object, at = ""): void {
    const validator = this.#types.get(type)?.validator;
    if (!validator) return;
    validate(validator, this.#decode(type, JSON.parse(JSON.stringify(fields)) as Fields), at); // a copy: what a validator does to it is not written
  }

  /** Throws InvalidError where what a patch, as it is kept, makes of a row is not valid. */
  validatePatch(row: Row, patch: object, at = ""): void {
    if (this.judges(row.type)) this.validate(row.type, patched(row, patch), at);
  }

  // ---- what is written

  #codecs(type: unknown): Codecs | null {
    return this.coded && typeof type === "string" ? this.#types.get(type)?.codecs ?? null : null;
  }

  /** Fields, or a patch, as they are kept. */
  encode<T>(type: unknown, fields: T, at = ""): T {
    const codecs = this.#codecs(type);
    if (!codecs) return fields;
    plain(fields, at);
    return encodeAll(codecs, fields, at) as T;
  }

  /** What has become of a draft, as it is kept: a field that says what it said before is as it was, whoever wrote it, and however. */
  encodeEdited(type: unknown, draft: Fields, before: Fields, kept: Fields): Fields {
    const codecs = this.#codecs(type);
    if (!codecs) return draft;
    const out: Fields = { ...draft };
    for (const key of Object.keys(codecs)) {
      if (Object.hasOwn(draft, key) && Object.hasOwn(before, key) && says(codecs[key]!, draft[key], before[key])) out[key] = kept[key];
      else if (Object.hasOwn(draft, key) && draft[key] !== undefined) out[key] = encoded(codecs[key]!, draft[key], `/${escape(key)}`);
    }
    return out;
  }

  /** A draft of a row's fields, as its app has them. */
  draft({ id: _id, type, ...fields }: Row): Fields {
    return this.#decode(type, structuredClone(fields));
  }

  // ---- what is read

  #decode(type: string, fields: Fields): Fields {
    const codecs = this.#codecs(type);
    for (const key of codecs ? Object.keys(codecs) : []) {
      if (fields[key] === undefined || !Object.hasOwn(fields, key)) continue;
      try {
        fields[key] = codecs![key]!.decode(fields[key] as never);
      } catch (e) {
        this.#warn("codec", `the codec of ${key} cannot read what ${type} holds; it is given as it is kept`, e);
      }
    }
    return fields;
  }

  /** A row as it is given out: the same for the same. */
  row<R extends Row | undefined>(row: R): R {
    if (!this.coded || !row || !this.#codecs(row.type)) return row;
    let given = this.#given.get(row) as R | undefined;
    if (given) return given;
    given = Object.freeze(this.#decode(row.type, { ...row })) as R;
    passOn(row, given!);
    this.#given.set(row, given);
    this.#kept.set(given!, row);
    return given;
  }

  rows(rows: readonly Row[]): readonly Row[] {
    if (!this.coded) return rows;
    let given = this.#given.get(rows) as readonly Row[] | undefined;
    if (!given) this.#given.set(rows, (given = Object.freeze(rows.map((row) => this.row(row)))));
    return given;
  }

  // ---- what is asked

  /** A query, as what is kept answers it. */
  query(q: object): object {
    if (!this.coded) return q;
    plain(q, "");
    const { type, where, filter, after, orderBy } = q, out: Fields = { ...q };
    const codecs = this.#codecsOf(type);
    if (typeof where === "object" && where !== null) out.where = conditions(codecs, where as Fields, "/where");
    if (typeof filter === "function") out.filter = (row: Row) => (filter as (row: Row) => unknown)(this.row(row));
    if (typeof after === "object" && after !== null) out.after = this.#kept.get(after) ?? encodeAll(codecs, after as Fields, "/after");
    for (const order of Array.isArray(orderBy) ? (orderBy as unknown[]) : [orderBy]) {
      const key = typeof order === "object" ? (order as { key?: unknown } | null)?.key : order;
      if (typeof key === "string" && codecOf(codecs, key)?.ordered === false) throw invalid("/orderBy", `${key} is not kept in the order of its values`);
    }
    return out;
  }

  /** The codecs of a type; where none is named, those about which all types agree. */
  #codecsOf(type: unknown): Codecs {
    if (typeof type === "string") return this.#codecs(type) ?? {};
    const out: { [key: string]: Codec } = {};
    for (const { codecs } of this.#types.values()) Object.assign(out, codecs);
    return out;
  }
}

function encodeAll(codecs: Codecs, fields: Fields, at: string): Fields {
  const out: Fields = Object.create(null) as Fields;
  for (const key of Object.keys(fields)) {
    const value = fields[key], codec = Object.hasOwn(codecs, key) ? codecs[key] : undefined;
    out[key] = codec && value !== undefined && !(value instanceof FieldOp) ? encoded(codec, value, `${at}/${escape(key)}`) : value;
  }
  return out;
}

/** Whether a field says the same; one that the codec could not read is JSON. */
function says(codec: Codec, now: unknown, before: unknown): boolean {
  try {
    return equal(codec.encode(now as never), codec.encode(before as never));
  } catch {
    return typeof now === typeof before && equal(now, before);
  }
}

function encoded(codec: Codec, value: unknown, at: string): unknown {
  try {
    return codec.encode(value as never);
  } catch (e) {
    const said = e instanceof InvalidError ? e.message.replace(/^invalid(?: at \S*)?: /, "") : `its codec throws: ${e instanceof Error ? e.message : String(e)}`;
    throw invalid(at, said);
  }
}

/** Of a key, or of a path that is one. */
function codecOf(codecs: Codecs, key: string): { readonly codec: Codec; readonly ordered: boolean } | null {
  const name = /^\/[^/]*$/.test(key) ? key.slice(1).replace(/~1/g, "/").replace(/~0/g, "~") : key;
  return Object.hasOwn(codecs, name) ? { codec: codecs[name]!, ordered: codecs[name]!.ordered === true } : null;
}

const single = new Set(["eq", "ne", "gt", "gte", "lt", "lte"]);

function conditions(codecs: Codecs, where: Fields, at: string): Fields {
  const out: Fields = Object.create(null) as Fields;
  for (const [key, value] of Object.entries(where)) {
    const here = `${at}/${escape(key)}`, of = codecOf(codecs, key);
    if ((key === "or" || key === "and") && Array.isArray(value)) out[key] = value.map((part, i) => within(codecs, part, `${here}/${i}`));
    else if (key === "not") out[key] = within(codecs, value, here);
    else if (!of || value === undefined) out[key] = value;
    else if (!isComparisons(value)) out[key] = encoded(of.codec, value, here);
    else {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, arg]) => {
        if (/^[gl]te?$|^startsWith$/.test(name) && !of.ordered) throw invalid(`${here}/${name}`, "the field is not kept in the order of its values");
        if (name === "in" && Array.isArray(arg)) return [name, arg.map((v, i) => encoded(of.codec, v, `${here}/in/${i}`))];
        return [name, single.has(name) ? encoded(of.codec, arg, `${here}/${name}`) : arg];
      }));
    }
  }
  return out;
}

const within = (codecs: Codecs, where: unknown, at: string): unknown => (typeof where === "object" && where !== null && !Array.isArray(where) ? conditions(codecs, where as Fields, at) : where);

/** A plain object; what a codec takes may be one too, where none of its keys is a comparison. */
function isComparisons(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || proto === Object.prototype;
}
