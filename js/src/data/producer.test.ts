import assert from "node:assert/strict";
import test from "node:test";
import { answered, cut, decide, maxBatch, newProducer, type Answer, type Producer } from "./producer.js";

const p: Producer = { id: "p", epoch: 2, seq: 7, batch: 3, sent: 0, single: 0 };
const said = (status: number, rest: Partial<Answer> = {}): Answer => ({ status, code: "", message: "", pointer: "", offset: null, ...rest });

test("what a request holds is decided once", () => {
  assert.equal(decide(newProducer("p"), [10, 10, 10], 25).batch, 2);
  assert.equal(decide(newProducer("p"), [100, 10], 25).batch, 1); // a large one goes alone
  assert.equal(decide(newProducer("p"), Array(2000).fill(1), 1 << 20).batch, maxBatch);
  assert.equal(decide({ ...newProducer("p"), single: 2 }, [1, 1], 25).batch, 1);
  const decided = decide(newProducer("p"), [10, 10], 25);
  assert.equal(decide(decided, [10, 10, 10, 10], 1000), decided);
  const none = newProducer("p");
  assert.equal(decide(none, [], 25), none);
});

// What comes of each answer: how many entries the server has, which it refused, and where the producer stands then.
const after = (done: number, refused: number[], of: Partial<Producer>, stop = "") => ({ done, refused, of, stop });
const table: { [what: string]: readonly [Producer, Answer, ReturnType<typeof after> | null] } = {
  "it was taken": [p, said(204), after(3, [], { epoch: 2, seq: 8, batch: 0 })],
  "it was taken before": [p, said(200), after(3, [], { epoch: 2, seq: 8, batch: 0 })],
  "a part was taken": [{ ...p, batch: 1 }, said(200, { offset: 4096 }), after(0, [], { seq: 7, batch: 1, sent: 4096 })],
  "the server has another part": [{ ...p, batch: 1, sent: 9 }, said(409, { code: "sequence", offset: 5 }), after(0, [], { seq: 7, sent: 5 })],
  "the server has lost what it knew": [p, said(409, { code: "sequence" }), after(0, [], { epoch: 3, seq: 0, batch: 0 })],
  "a copy writes under the name": [p, said(403, { code: "fenced" }), after(0, [], { id: "fresh", epoch: 0, seq: 0, batch: 0 })],
  "the stream is closed": [p, said(409, { code: "closed" }), after(0, [], { epoch: 3, batch: 0, single: 3 })], // it may have had some of them
  "the stream is closed, and has not this one": [{ ...p, batch: 1, single: 2 }, said(409, { code: "closed" }), after(0, [0], { epoch: 3, batch: 0, single: 1 })],
  "the stream is another one": [p, said(409, { code: "content-type" }), after(0, [], {}, "exists")],
  "the stream was deleted": [p, said(410, { code: "gone" }), after(0, [], {}, "gone")],
  "there is none": [p, said(404, { code: "not-found", pointer: "/stream" }), after(0, [], {}, "absent")],
  "one is refused by its place": [p, said(422, { code: "invalid", pointer: "/1/text" }), after(0, [1], { epoch: 3, batch: 0, single: 0 })],
  "one is refused, and nobody says which": [p, said(400, { code: "invalid" }), after(0, [], { epoch: 3, batch: 0, single: 3 })],
  "the only one is refused": [{ ...p, batch: 1, single: 2 }, said(413, { code: "too-large" }), after(0, [0], { epoch: 3, batch: 0, single: 1 })],
  "a place that is not there": [p, said(422, { code: "invalid", pointer: "/9" }), after(0, [], { single: 3 })],
  "the producer's header is wrong": [p, said(400, { code: "malformed", pointer: "/Producer-Seq" }), after(0, [], { epoch: 3, seq: 0 })],
  "another header is wrong": [p, said(400, { code: "malformed", pointer: "/Content-Type" }), null],
  "a status that says nothing for good": [p, said(409, { code: "strange" }), null],
  "a server's fault": [p, said(500, { code: "internal" }), null],
};

for (const [what, [of, answer, want]] of Object.entries(table)) {
  test(`answer: ${what}`, () => {
    const o = answered(of, answer, "fresh");
    if (!want) return assert.equal(o, null);
    assert.deepEqual([o!.done, [...o!.refused], o!.stop], [want.done, want.refused, want.stop]);
    for (const [key, value] of Object.entries(want.of)) assert.equal(o!.producer[key as keyof Producer], value, key);
    assert.equal(o!.fenced, answer.code === "fenced");
  });
}

test("a request that did not get through may hold less, under a new epoch", () => {
  assert.deepEqual(cut(p), { id: "p", epoch: 3, seq: 0, batch: 0, sent: 0, single: 0 });
});
