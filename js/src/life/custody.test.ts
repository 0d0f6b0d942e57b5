import assert from "node:assert/strict";
import test from "node:test";
import { Custody, turns, type Custodian } from "./custody.js";
import { Witness } from "../contexts/witness.js";

const store = new Map<string, string>();
(globalThis as { localStorage?: unknown }).localStorage = {
  getItem: (key: string) => store.get(key) ?? null,
  setItem: (key: string, value: string) => void store.set(key, value),
  removeItem: (key: string) => void store.delete(key),
};

const refusal = (message = "no") => ({ code: "storage", message });

/** A context, with the witness of its profile, and what it has told. */
function context(key = "db") {
  const told: string[] = [], witness = new Witness(key);
  const custody = new Custody(witness, {
    lost: ({ unsent }) => told.push(`lost ${String(unsent)}`),
    refused: () => told.push("refused"),
    deleted: () => told.push("deleted"),
  });
  let judge = () => {};
  const missing = (unsent: number) => custody.missing(unsent, (f) => (judge = f));
  return { custody, witness, told, missing, judge: () => judge() };
}

type Context = ReturnType<typeof context>;
const opened = (c: Context, life = "1") => c.custody.opened(life, null);

/** How each edge is gone, from a context that stands at its beginning, and what is told then. */
const ways: { [from in Custodian]?: { [to in Custodian]?: readonly [at: (c: Context) => void, go: (c: Context) => unknown, told: readonly string[], health: string] } } = {
  asked: {
    browser: [() => {}, opened, [], "ok"],
    context: [() => {}, (c) => c.custody.opened("", refusal()), ["refused"], "unavailable"],
    app: [() => {}, (c) => c.custody.chosen(), [], "memory"],
    leaving: [() => {}, (c) => c.custody.leaving(true), [], "ok"],
    nobody: [() => {}, (c) => c.custody.deleted(), [], "unavailable"],
  },
  browser: {
    browser: [opened, opened, [], "ok"], // another program
    leaving: [opened, (c) => c.custody.leaving(true), [], "ok"],
    missing: [opened, (c) => c.missing(1), [], "lost"],
    context: [opened, (c) => c.custody.opened("", refusal()), ["refused"], "lost"], // it cannot be opened again
    nobody: [opened, (c) => c.custody.deleted(), [], "unavailable"],
  },
  leaving: {
    asked: [(c) => c.custody.leaving(true), (c) => c.custody.leaving(false), [], "ok"],
    browser: [(c) => (opened(c), c.custody.leaving(true)), (c) => c.custody.leaving(false), [], "ok"],
    context: [(c) => (c.custody.opened("", refusal()), c.custody.leaving(true)), (c) => c.custody.leaving(false), ["refused"], "unavailable"],
    app: [(c) => (c.custody.chosen(), c.custody.leaving(true)), (c) => c.custody.leaving(false), [], "memory"],
    missing: [(c) => (opened(c), c.custody.leaving(true)), (c) => c.missing(1), [], "lost"],
    nobody: [(c) => (opened(c), c.custody.leaving(true)), (c) => c.custody.deleted(), [], "unavailable"],
  },
  missing: {
    context: [(c) => (opened(c), c.missing(3)), (c) => c.judge(), ["lost 3"], "lost"],
    browser: [(c) => (opened(c), c.missing(3)), (c) => opened(c, "2"), ["lost 0"], "ok"], // another one was made: nothing was known to be unsent
    nobody: [(c) => (opened(c), c.missing(3)), (c) => c.custody.leaving(true), ["deleted"], "unavailable"],
  },
  context: {
    context: [(c) => c.custody.opened("", refusal()), (c) => c.custody.opened("", refusal("mutation operation")), ["refused", "refused"], "private"],
    browser: [(c) => c.custody.opened("", refusal()), opened, ["refused"], "ok"],
    leaving: [(c) => c.custody.opened("", refusal()), (c) => c.custody.leaving(true), ["refused"], "unavailable"],
    nobody: [(c) => c.custody.opened("", refusal()), (c) => c.custody.deleted(), ["refused"], "unavailable"],
  },
  app: {
    app: [(c) => c.custody.chosen(), (c) => c.custody.chosen(), [], "memory"], // another program
    leaving: [(c) => c.custody.chosen(), (c) => c.custody.leaving(true), [], "memory"],
    nobody: [(c) => c.custody.chosen(), (c) => c.custody.deleted(), [], "memory"],
  },
};

for (const [from, to] of Object.entries(turns).flatMap(([from, all]) => all.map((to) => [from, to] as [Custodian, Custodian]))) {
  test(`custody: ${from} to ${to}`, () => {
    store.clear();
    const way = ways[from]?.[to];
    assert(way, "nobody has tried this edge");
    const [at, go, told, health] = way!, c = context();
    at(c);
    assert.equal(c.custody.state, from);
    go(c);
    assert.deepEqual([c.custody.state, c.told, c.custody.durable], [to, told, health === "ok"]);
    if (to !== "nobody") assert.equal(c.custody.reason, health);
  });
}

test("any other turn is an error", () => {
  const c = context();
  c.custody.deleted();
  assert.throws(() => opened(c));
  assert.throws(() => c.missing(0));
});

test("a loss is told once, with what was known to be unsent; an end on purpose is none", () => {
  store.clear();
  const c = context();
  opened(c);
  c.witness.remember([["a", 2], ["b", 3]]);
  const next = context();
  opened(next, "2"); // the browser has another one
  assert.deepEqual(next.told, ["lost 5"]);
  const after = context();
  opened(after, "2");
  assert.deepEqual(after.told, []);
  after.witness.destroying(true);
  const last = context();
  opened(last, "3");
  assert.deepEqual(last.told, []);
});

test("who finds it gone after somebody has deleted it on purpose has lost nothing", async () => {
  for (const how of ["said before", "said after", "remembered"]) {
    store.clear();
    const c = context();
    opened(c);
    if (how === "said before") c.custody.leaving(true);
    if (how === "remembered") c.witness.destroying(true);
    c.missing(7);
    if (how === "said after") c.custody.leaving(true);
    await Promise.resolve();
    c.judge();
    assert.deepEqual([c.told, c.custody.state], [["deleted"], "nobody"], how);
  }
});
