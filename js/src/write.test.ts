import assert from "node:assert/strict";
import test from "node:test";
import { SyncError } from "./errors.js";
import { begin, refused } from "./write.js";

test("awaiting persisted alone raises nothing beside it", async () => {
  const unheard: unknown[] = [];
  const hear = (e: unknown) => unheard.push(e);
  process.on("unhandledRejection", hear);
  const error = new SyncError({ code: "invalid", message: "invalid" });
  await assert.rejects(refused(error).persisted, error);
  const open = begin<void>();
  const { persisted } = open.write;
  open.reject(error);
  open.write.settle(0, error);
  await assert.rejects(persisted, error);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(unheard, []);
  refused(error); // and nobody asks for anything
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(unheard, [error]);
  process.off("unhandledRejection", hear);
});
