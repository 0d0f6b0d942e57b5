import assert from "node:assert/strict";
import test from "node:test";
import { SyncError } from "./errors.js";
import { begin, refused } from "./write.js";

// The runner fails a test that leaves a rejection unhandled.
test("awaiting persisted alone raises nothing beside it", async () => {
  const error = new SyncError({ code: "invalid", message: "invalid" });
  await assert.rejects(refused(error).persisted, error);
  const open = begin<void>();
  const { persisted } = open.write;
  open.reject(error);
  open.write.settle(0, error);
  await assert.rejects(persisted, error);
  await new Promise((resolve) => setTimeout(resolve));
});
