import assert from "node:assert/strict";
import test from "node:test";
import { Current, follow, keyOf, LiveRows, needs, opened } from "./common.js";
import type { Database, Live, Stream } from "../../types/strandline.js";

test("a framework that is too old is told with the remedy", () => {
  needs("Vue", "3.3", () => {}, "3.5");
  assert.throws(() => needs("Vue", "3.3", undefined, "2.7.16"), (e) => /Vue 3\.3 or later is needed, and this is 2\.7\.16: npm install vue@latest/.test(String(e)));
  assert.throws(() => needs("Svelte", "5.7", undefined, undefined), (e) => /this is an older one/.test(String(e)));
});

test("queries that say the same are one; those with code in them are others", () => {
  let made = 0;
  const stream = { live: () => ({ n: ++made }) } as unknown as Stream;
  const rows = new LiveRows(), of = (query: object) => (rows.of(stream, query) as unknown as { n: number }).n;
  assert.deepEqual([of({ type: "a" }), of({ type: "a" }), of({ type: "b" })], [1, 1, 2]);
  const filter = () => true, query = { filter };
  assert.deepEqual([of(query), of(query), of({ filter }), of({ orderBy: { key: "a", collator: new Intl.Collator() } }), of({ orderBy: { key: "a", collator: new Intl.Collator() } })], [3, 3, 4, 5, 6]);
  const mutable = { where: { done: false } };
  const before = of(mutable);
  mutable.where.done = true;
  assert.equal(of(mutable) === before, false); // the same object, which says something else
  class Money { readonly #cents: number; constructor(cents: number) { this.#cents = cents; } get cents() { return this.#cents; } }
  assert.equal(of({ where: { price: new Money(5) } }) === of({ where: { price: new Money(6) } }), false); // JSON does not tell
  assert.equal(of({ where: { at: new Date(0) } }), of({ where: { at: new Date(0) } }));
  assert.equal(rows.of(undefined, {}), undefined);
  assert.equal(keyOf({ where: { size: 5n } }), keyOf({ where: { size: 5n } })); // JSON has none
});

test("a live value that has ended gives what it gave last, and is followed no more", () => {
  let ended = false, value = 1;
  const live = {
    get current() {
      if (ended) throw new Error("closed");
      return value;
    },
    subscribe() {
      if (ended) throw new Error("closed");
      return () => {};
    },
  } as unknown as Live<number, never>;
  const current = new Current(0);
  assert.deepEqual([current.of(undefined), current.of(live), (value = 2, current.of(live)), (ended = true, current.of(live))], [0, 1, 2, 2]);
  assert.equal(new Current(0).of(live), 0);
  follow(live, () => {})();
});

test("what is let go of before it is there is closed when it is, and told of to nobody", async () => {
  let there = (_db: Database) => {}, closed = 0;
  const told: unknown[] = [], made = new Promise<Database>((resolve) => (there = resolve));
  const end = opened(() => made, (is) => told.push(is));
  end();
  there({ closed: new Promise(() => {}), close: () => Promise.resolve(void closed++) } as unknown as Database);
  await new Promise<void>((resolve) => setTimeout(resolve));
  assert.deepEqual([told, closed], [[], 1]);
});
