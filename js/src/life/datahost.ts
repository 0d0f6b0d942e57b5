// What the script of the data streams gets of a database.
import { ClosedError, errorOf, invalid, RejectedError, SyncError } from "../values/errors.js";
import { Events } from "../values/events.js";
import { frameFactory } from "../program/frame.js";
import type { Host } from "../data/kit.js";
import { check } from "../values/json.js";
import type { OpenOptions } from "../values/options.js";
import { maxTimer } from "../values/timers.js";
import { Life } from "../values/life.js";
import { LiveValue, Signal } from "../values/live.js";
import { Users } from "../values/users.js";
import { begin } from "../values/write.js";

type Rest = Pick<Host, "durable" | "newID" | "log" | "tell" | "statusChanged" | "poke" | "listenFor">;

export function dataHost(o: OpenOptions, shared: string, url: string, rest: Rest): Host {
  return {
    kit: { SyncError, RejectedError, ClosedError, errorOf, invalid, Events, Life, LiveValue, Signal, Users, begin, check },
    shared,
    url,
    auth: o.auth,
    frame: frameFactory,
    durability: o.durability ?? "relaxed",
    retry: Math.min(o.timers?.retry ?? 5000, maxTimer),
    idle: Math.min(o.timers?.idle ?? 60_000, maxTimer),
    ...rest,
  };
}

/** Whether a context has opened a data stream of the database. */
export async function hasData(shared: string, durable: boolean): Promise<boolean> {
  try {
    const all = await indexedDB.databases?.();
    return !all || all.some((db) => db.name === `${shared}/data`);
  } catch {
    return durable; // else there is no IndexedDB to have any
  }
}
