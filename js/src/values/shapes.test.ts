import assert from "node:assert/strict";
import test from "node:test";
import { bigint, bytes, date, type Codec } from "./codecs.js";
import { InvalidError } from "./errors.js";
import { FieldOp } from "./json.js";
import { Shapes } from "./shapes.js";

class Money {
  constructor(readonly cents: number) {}
}
const money: Codec = { encode: (m: Money) => m.cents, decode: (n: number) => new Money(n), ordered: true };
const at = "2026-01-02T03:04:05.678Z";
const order = { codecs: { at: date, total: money, serial: bigint, seal: bytes } };
const warned: string[] = [];
const make = (schema: object) => new Shapes(schema as never, (_, message) => warned.push(message));
const row = (more: object = {}) => Object.freeze({ id: "1", type: "order", at, total: 250, serial: "9007199254740993", seal: "AQID", note: "x", ...more });
const fails = (fn: () => unknown): [string, string] => {
  try {
    fn();
  } catch (e) {
    if (e instanceof InvalidError) return [e.path, e.message];
    throw e;
  }
  throw new Error("it did not fail");
};

test("what is written is kept as JSON, and read as it was written: the same for the same", () => {
  const shapes = make({ order }), kept = row();
  const given = shapes.row(kept) as Record<string, unknown>;
  assert.deepEqual([given.at, given.total, given.serial, given.seal, given.note], [new Date(at), new Money(250), 9007199254740993n, new Uint8Array([1, 2, 3]), "x"]);
  assert(Object.isFrozen(given) && shapes.row(kept) === given);
  const all = [kept];
  assert(shapes.rows(all) === shapes.rows(all) && shapes.rows(all)[0] === given);
  const { id: _id, type: _type, ...fields } = given;
  assert.deepEqual({ ...shapes.encode("order", fields) }, { at, total: 250, serial: "9007199254740993", seal: "AQID", note: "x" });
  const patch = { at: new FieldOp("unset", null), note: "y" };
  assert.deepEqual({ ...shapes.encode("order", patch) }, patch);
  const other = row({ type: "note" });
  assert.equal(shapes.row(other), other);
});

test("a large value of bytes", () => {
  const many = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
  assert.deepEqual(bytes.decode(bytes.encode(many as never) as never), many);
});

test("without codecs everything is what it was", () => {
  const shapes = make({}), one = row(), q = { where: { a: 1 } };
  const all = [one];
  assert(shapes.row(one) === one && shapes.rows(all) === all && shapes.query(q) === q && shapes.encode("order", q) === q);
});

test("a query asks what is kept", () => {
  const shapes = make({ order });
  const asked = (q: object) => JSON.parse(JSON.stringify(shapes.query(q)));
  assert.deepEqual(asked({ type: "order", where: { at: { gt: new Date(at) }, total: new Money(3), "/total": { in: [new Money(1), new Money(2)] }, note: "x", not: { or: [{ at: new Date(at) }] } } }).where,
    { at: { gt: at }, total: 3, "/total": { in: [1, 2] }, note: "x", not: { or: [{ at }] } });
  assert.deepEqual(asked({ where: { serial: 5n } }).where, { serial: "5" }); // of any type
  const kept = row(), given = shapes.row(kept);
  assert.equal((shapes.query({ type: "order", after: given }) as { after: unknown }).after, kept);
  assert.equal((shapes.query({ filter: (r: { at: Date }) => r.at.getTime() === Date.parse(at) }) as { filter(r: unknown): boolean }).filter(kept), true);
  assert.equal(fails(() => shapes.query({ type: "order", where: { serial: { gt: 5n } } }))[0], "/where/serial/gt");
  assert.equal(fails(() => shapes.query({ type: "order", orderBy: ["at", { key: "serial" }] }))[0], "/orderBy");
  assert.equal(fails(() => shapes.query({ type: "order", where: { or: [{ at: "2026" }] } }))[0], "/where/or/0/at");
});

test("what a codec does not take is named with its place", () => {
  const shapes = make({ order });
  assert.deepEqual(fails(() => shapes.encode("order", { at: "2026" })), ["/at", "invalid at /at: is no date of the years 0 to 9999"]);
  assert.equal(fails(() => shapes.encode("order", { at: new Date(NaN) }, "/3"))[0], "/3/at");
  assert.equal(fails(() => shapes.encode("order", { at: new Date(8.64e15) }))[0], "/at");
  assert.equal(fails(() => shapes.encode("order", { serial: 5 }))[0], "/serial");
  assert.equal(fails(() => shapes.encode("order", { seal: [1] }))[0], "/seal");
  const throws = make({ order: { codecs: { x: { encode: () => { throw new Error("mine"); }, decode: (v: unknown) => v } } } });
  assert.match(fails(() => throws.encode("order", { x: 1 }))[1], /mine/);
});

test("what a codec cannot read is given as it is kept, and told", () => {
  const shapes = make({ order });
  warned.length = 0;
  const given = shapes.row(row({ at: "yesterday", serial: 7 })) as Record<string, unknown>;
  assert.deepEqual([given.at, given.serial, warned.length], ["yesterday", 7, 2]);
});

test("validators see what the app sees, a copy of it", () => {
  let seen: Record<string, unknown> = {};
  const shape = { "~standard": { version: 1, vendor: "test", validate: (v: Record<string, unknown>) => {
    seen = { ...v };
    v.note = "changed";
    return v.at instanceof Date ? { value: v } : { issues: [{ message: "no date", path: ["at"] }] };
  } } };
  const shapes = make({ order: { shape, codecs: { at: date } }, plain: shape });
  const kept = { at, note: "x" };
  shapes.validate("order", kept, "/0");
  assert.deepEqual([seen.at, kept.note], [new Date(at), "x"]);
  assert.equal(fails(() => shapes.validate("plain", kept, "/0"))[0], "/0/at");
  assert.deepEqual([shapes.judges("order"), shapes.judges("none"), shapes.judges()], [true, false, true]);
});

test("a schema that is none", () => {
  for (const [schema, path] of [
    [{ a: 1 }, "/schema/a"], [{ a: {}, b: { shape: 1 } }, "/schema/b/shape"], [{ a: { codecs: { x: {} } } }, "/schema/a/codecs/x"], [{ "a/b": { other: 1 } }, "/schema/a~1b"], [{ a: { view: 1 } }, "/schema/a/view"], [{ a: { write: {} } }, "/schema/a/write"], ["x", "/schema"],
  ] as const) assert.equal(fails(() => make(schema as object))[0], path);
});

test("a validator that throws, is asynchronous or gives no result is an error that says so, and nothing is taken for valid", () => {
  const of = (validate: (value: unknown) => unknown) => new Shapes({ todo: { "~standard": { version: 1, validate } } }, () => {});
  for (const [validate, said] of [
    [() => { throw new RangeError("mine"); }, /the validator throws: mine/],
    [() => Promise.resolve({ value: 1 }), /has to answer at once/],
    [() => undefined, /gave no result/],
    [() => ({ issues: [] }), /is not valid/],
  ] as const) {
    assert.throws(() => of(validate).validate("todo", { a: 1 }, "/3"), (e) => (e as { code: string; path: string }).code === "invalid" && (e as { path: string }).path === "/3" && said.test((e as Error).message));
  }
  of(() => ({ value: 5 })).validate("todo", { a: 1 });
  of(() => { throw new Error("of another type"); }).validate("other", { a: 1 });
});

test("what a write adds stands beside what is written, as it will be; keys that are written already stand", () => {
  const seen: object[] = [];
  const shapes = make({ todo: { write: (changes: Record<string, unknown>) => {
    seen.push({ ...changes });
    return "title" in changes ? { name: changes.title } : undefined;
  } }, other: {} });
  const now = Object.freeze({ id: "1", type: "todo", title: "a", n: 5 });
  assert.deepEqual({ ...shapes.add("todo", { title: "b", done: true }, undefined) }, { title: "b", done: true, name: "b" });
  assert.deepEqual({ ...shapes.add("todo", { title: "b", name: "given" }, undefined) }, { title: "b", name: "given" });
  const taken = shapes.add("todo", { title: new FieldOp("unset", null) }, now) as Record<string, unknown>;
  assert.equal((taken.name as FieldOp).part, "unset");
  const plain = { n: 1 };
  assert.equal(shapes.add("todo", plain, now), plain);
  assert.equal(shapes.add("other", plain, now), plain);
  shapes.add("todo", { n: new FieldOp("inc", 2) }, now);
  assert.deepEqual(seen.at(-1), { n: 7 }); // not how it is written
  for (const lie of [() => 7, () => [1], () => Promise.resolve({})]) assert.equal(fails(() => make({ todo: { write: lie } }).add("todo", { a: 1 }, undefined, "/2"))[0], "/2");
});
