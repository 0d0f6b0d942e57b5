// What the script of the data streams gets of a database.
import type { Host } from "../data/kit.js";
import { frameFactory } from "../program/frame.js";
import { damaged, heal } from "../program/heal.js";
import { Failure, failureOf, problemOf } from "../server/failure.js";
import { pieces, problem, stranger, waitAsked } from "../server/transport.js";
import { ClosedError, errorOf, invalid, RejectedError, SyncError } from "../values/errors.js";
import { Events } from "../values/events.js";
import { check } from "../values/json.js";
import { Life } from "../values/life.js";
import { LiveValue, Signal } from "../values/live.js";
import type { OpenOptions } from "../values/options.js";
import { Users } from "../values/users.js";
import { begin } from "../values/write.js";

const kit = {
  SyncError, RejectedError, ClosedError, errorOf, invalid, Events, Life, LiveValue, Signal, Users, begin, check,
  Failure, failureOf, problemOf, problem, stranger, pieces, waitAsked,
};

export function dataHost(options: OpenOptions, rest: Omit<Host, "kit" | "frame" | "healed" | "durability">): Host {
  return { ...rest, kit, frame: frameFactory, healed: async (e, name) => damaged(e) && heal(name), durability: options.durability ?? "relaxed" };
}

/** Whether a context has opened a data stream of the database. */
export async function hasData(shared: string, durable: boolean): Promise<boolean> {
  try {
    const all = await indexedDB.databases?.();
    return !all || all.some((db) => db.name === `${shared}/data` && db.version) /* WebKit lists as 0 what was only looked for */;
  } catch {
    return durable; // else there is no IndexedDB to have any
  }
}
