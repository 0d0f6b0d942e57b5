import assert from "node:assert/strict";
import test from "node:test";
import { asksPeople } from "./health.js";

/** A browser that supports these properties. */
const browser = (...properties: string[]) => ((globalThis as { CSS?: unknown }).CSS = { supports: (name: string) => properties.includes(name) });

test("who is not asked by the app is not asked by the browser: Firefox would show a question", () => {
  assert.equal(asksPeople(), false); // a worker
  browser("-moz-appearance");
  assert.equal(asksPeople(), true);
  browser("-webkit-app-region", "-moz-appearance"); // one that knows both
  assert.equal(asksPeople(), false);
  browser();
  assert.equal(asksPeople(), false);
});
