// The protocol's own client over streams of ours.
import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import { expect, test } from "vitest";

const url = (name) => `${process.env.STRANDLINE_URL}/v1/data/${name}-${Date.now()}`;

test("it creates, appends, reads and tails JSON", async () => {
  const at = url("client/json");
  const s = await DurableStream.create({ url: at, contentType: "application/json" });
  await s.append(JSON.stringify({ n: 1 }));
  await Promise.all([2, 3, 4].map((n) => s.append(JSON.stringify({ n }))));
  const read = await stream({ url: at, live: false });
  const all = await read.json();
  expect(all.map((m) => m.n).sort()).toEqual([1, 2, 3, 4]);
  for (const live of ["long-poll", "sse"]) {
    const seen = [];
    const tail = await stream({ url: at, offset: read.offset, live });
    const done = new Promise((resolve) => {
      tail.subscribeJson((batch) => {
        seen.push(...batch.items);
        if (seen.some((m) => m.live === live)) resolve();
      });
    });
    await s.append(JSON.stringify({ live }));
    await done;
    tail.cancel();
  }
});

test("its idempotent producer writes each message once, in its order", async () => {
  const at = url("client/producer");
  const s = await DurableStream.create({ url: at, contentType: "text/plain" });
  const producer = new IdempotentProducer(s, "writer-1", { autoClaim: true });
  for (let i = 0; i < 200; i++) producer.append(`${i},`);
  await producer.flush();
  await producer.close();
  const text = await (await stream({ url: at, live: false })).text();
  expect(text).toBe(Array.from({ length: 200 }, (_, i) => `${i},`).join(""));
});
