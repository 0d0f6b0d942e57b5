// What a database and a stream tell of themselves.
import type { SyncError } from "./errors.js";
import type { Row } from "./row.js";

export type StreamStatus = {
  state: "starting" | "syncing" | "live" | "offline" | "waiting" | "held" | "stopped";
  reason: "upgrade" | "forbidden" | "corrupt" | "gone" | "exists" | null;
  head: number;
  pending: number;
  rejected: number;
  next: { at: number; because: string } | null;
  lastSynced: number | null;
  error: SyncError | null;
};

export type Op = { op: string; object: string; type?: string; fields?: { [key: string]: unknown }; set?: object };
export type Rejected = { action: { id: string; ops: Op[] }; code: string; message: string; because: string | null; at: number };
export type Conflict = { object: string; key: string; kind: string; reason: string | null; action: string; index: number };
export type StreamEvents = { status: StreamStatus; rejected: Rejected; conflict: Conflict; reset: Reset; closed: SyncError };
export type Reset = { reason: string; at: number; common: number; returned: string[]; refused: string[]; dropped: string[]; unknown: string[]; lost: string[]; unreadable: number };
/** What an entry of the log has made of an object. */
export type ObjectChange = {
  index: number; at: number; by: string; client: string; action: string; kind: "create" | "update" | "remove"; changed: string[]; discarded: string | null; object: string; row: Row | null;
};
export type ObjectHistory = { changes: ObjectChange[]; from: number; row: Row | null; more: boolean; head: number };
export type Undoable = { readonly undo: boolean; readonly redo: boolean };
export type Skipped = { skipped: readonly { object: string; key: string }[] };

export type Status = { online: boolean; leader: boolean; user: string | null; streams: { [name: string]: StreamStatus }; data: { [name: string]: StreamStatus } };
export type DatabaseEvents = { status: Status; health: Health; update: { wasm: boolean; database: boolean }; closed: SyncError };

/** That a database is gone, and how much of it was known to be unsent. */
export type Loss = { at: number; unsent: number | null };

export type Health = {
  indexedDB: "ok" | "lost" | "private" | "unavailable" | "memory";
  rows: "ok" | "differed";
  unviewed: number;
  persisted: boolean;
  quota: { usage: number; quota: number } | null;
  locks: boolean;
  backgroundSync: boolean;
  serviceWorker: boolean;
  loss: Loss | null;
};

/** Calls got when it is this context's turn to write to a stream, or after a moment in any case. */
export type Slot = (stream: string, got: (release: () => void) => void) => void;
