import assert from "node:assert/strict";
import test from "node:test";
import { SyncError } from "./errors.js";
import { Life, turns, type LifeState } from "./life.js";

const error = (message: string) => new SyncError({ code: "internal", message });
const states = Object.keys(turns) as LifeState[];

/** Ways to each state. */
const ways: { [state in LifeState]: LifeState[] } = { opening: [], open: ["open"], restarting: ["open", "restarting"], closing: ["closing"], closed: ["closed"] };

function at(state: LifeState): Life {
  const life = new Life(error("starting"));
  for (const to of ways[state]) life.turn(to, to === "open" ? null : error(to));
  return life;
}

for (const from of states) {
  for (const to of states) {
    test(`from ${from} to ${to}`, async () => {
      const life = at(from);
      if (!turns[from].includes(to)) {
        assert.throws(() => life.turn(to, error(to)));
        assert.equal(life.state, from);
        return;
      }
      const up = life.up().then(() => "up", (e: Error) => e.message);
      life.turn(to, to === "open" ? null : error(to));
      assert.equal(life.state, to);
      assert.equal(life.why?.message ?? null, to === "open" ? null : to);
      if (to === "closed") assert.equal((await life.closed).message, "closed");
      if (from === "open") assert.equal(await up, "up");
      else if (to !== "restarting") assert.equal(await up, to === "open" ? "up" : from === "closing" ? "closing" : to);
    });
  }
}

test("who waits hears of the end, and of the opening after many restarts", async () => {
  const life = at("restarting");
  const up = life.up();
  life.turn("restarting", error("again"));
  life.turn("open");
  life.turn("restarting", error("once more"));
  life.turn("open");
  await up;
  const ends = at("opening");
  const waits = ends.up();
  ends.turn("closing", error("closing"));
  ends.turn("closed", error("closed"));
  await assert.rejects(waits, /closed|closing/);
});
