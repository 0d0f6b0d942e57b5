// Entries as apps have them, of what is stored and what was fetched.
import { freeze } from "../values/json.js";
import type { LiveValue } from "../values/live.js";
import type { StreamStatus } from "../values/states.js";
import type { Frame } from "./frames.js";
import { mediaType } from "./options.js";
import type { Queued, Refused } from "./store.js";

export type Entry = { id: string | null; offset: string | null; value: unknown; pending: boolean };
export type RejectedEntry = { id: string; value: unknown; code: string; message: string; at: number };

/** What a data stream tells of itself, as values that follow it. */
export interface DataLive {
  readonly status: LiveValue<StreamStatus>;
  readonly rejected: LiveValue<readonly RejectedEntry[]>;
  /** How far the large entry is that is being sent; null where none is. */
  readonly progress: LiveValue<{ readonly id: string; readonly sent: number; readonly size: number } | null>;
  /** The entries as subscribe gives them; none before they are read. */
  entries(options?: { after?: string }): LiveValue<readonly Entry[]>;
}

/** An entry's value: JSON, frozen, or bytes of the reader's own. */
export function valueOf(body: Uint8Array, type: string): unknown {
  if (mediaType(type) !== "application/json") return body.slice();
  return freeze(JSON.parse(new TextDecoder().decode(body)));
}

async function queuedValue(q: Queued): Promise<unknown> {
  return valueOf(q.value instanceof Blob ? new Uint8Array(await q.value.arrayBuffer()) : q.value, q.json ? "application/json" : "");
}

/** An entry of the log. */
export const loggedEntry = (f: Frame, value: unknown): Entry => Object.freeze({ id: f.id || null, offset: f.offset, value, pending: false });

/** An entry that the log has not brought yet. */
export async function queuedEntry(q: Queued): Promise<Entry> {
  return Object.freeze({ id: q.id, offset: null, value: await queuedValue(q), pending: true });
}

/** A refused entry for people. Bytes that cannot be read any more, of a file that has gone, are null. */
export async function rejectedEntry(r: Refused): Promise<RejectedEntry> {
  const value = await queuedValue(r).catch(() => null);
  return Object.freeze({ id: r.id, value, code: r.code, message: r.message, at: r.at });
}
