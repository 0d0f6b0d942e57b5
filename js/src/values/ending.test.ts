import assert from "node:assert/strict";
import test from "node:test";
import { dispose, until } from "./ending.js";

test("it ends once, whoever ends it", () => {
  for (const how of ["call", "dispose", "abort"] as const) {
    let n = 0;
    const abort = new AbortController();
    const end = until(() => n++, abort);
    if (how === "call") end();
    else if (how === "dispose") end[dispose]();
    else abort.abort();
    end();
    end[dispose]();
    abort.abort();
    assert.equal(n, 1, how);
  }
});

test("a signal that is aborted already ends it at once, and one that is none leaves it", () => {
  let n = 0;
  until(() => n++, { signal: AbortSignal.abort() });
  assert.equal(n, 1);
  until(() => n++);
  until(() => n++, {});
  assert.equal(n, 1);
});
