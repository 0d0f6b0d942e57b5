import assert from "node:assert/strict";
import test from "node:test";
import { cut, decide, newProducer } from "./producer.js";
import { Way } from "./way.js";
import { Failure } from "../server/failure.js";

const refused = new Failure("bad-answer", "413, in HTML");

/** Sends entries over a way that lets through so many bytes; gives how many requests that took. */
function send(way: Way, sizes: number[], most: number, overhead = 0): number {
  let p = newProducer("p"), requests = 0;
  while (sizes.length > 0) {
    assert(++requests < 1000, "it goes on for ever");
    p = decide(p, sizes, way.room);
    const size = sizes.slice(0, p.batch).reduce((a, b) => a + b, overhead);
    if (size > most) {
      if (way.failed(size, refused)) p = cut(p);
      continue;
    }
    way.ok(size);
    sizes.splice(0, p.batch);
    p = { ...p, seq: p.seq + 1, batch: 0 };
  }
  return requests;
}

test("what is refused for its size goes in smaller requests, whatever the size is", () => {
  for (const most of [1 << 20, 300_000, 100_000, 10_000, 2500]) {
    const way = new Way(), n = send(way, Array.from({ length: 3000 }, () => 400), most);
    assert(n < 40 + (2 * 3000 * 400) / most, `${n} requests of at most ${most} bytes`);
  }
});

test("a proxy's usual mebibyte is enough at once", () => {
  const way = new Way();
  assert.equal(send(way, Array.from({ length: 1500 }, () => 1000), 1 << 20, 60_000), 3);
});

test("a line that was away is used as before soon after", () => {
  const way = new Way();
  way.ok(700_000);
  for (let i = 0; i < 20; i++) way.failed(way.room, new Failure("unreachable", "no route"));
  assert.equal(way.room, 2048);
  let n = 0;
  for (; way.room < 700_000; n++) way.ok(way.room);
  assert(n <= 10, `after ${n} requests`);
});

test("what says why, and that it is not the size, changes nothing", () => {
  const way = new Way(), { room } = way;
  for (const code of ["unauthorized", "forbidden", "rate-limited", "sequence"]) assert.equal(way.failed(500_000, new Failure(code, "")), false);
  assert.equal(way.failed(2048, refused), false);
  assert.equal(way.room, room);
});
