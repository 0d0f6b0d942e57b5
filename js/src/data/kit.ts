// What the main script lends: errors must be of its classes, and its own file is to stay small, so that this one is loaded when the first
// data stream is opened.
import type { Hint } from "./hint.js";
import type { Tx } from "./store.js";
import type * as failures from "../server/failure.js";
import type * as transport from "../server/transport.js";
import type * as errors from "../values/errors.js";
import type { Events } from "../values/events.js";
import type { Life } from "../values/life.js";
import type { LiveValue, Signal } from "../values/live.js";
import type { Users } from "../values/users.js";
import type { StreamStatus } from "../values/states.js";
import type { begin } from "../values/write.js";

export interface Kit {
  SyncError: typeof errors.SyncError;
  RejectedError: typeof errors.RejectedError;
  ClosedError: typeof errors.ClosedError;
  errorOf: typeof errors.errorOf;
  invalid: typeof errors.invalid;
  Events: typeof Events;
  Life: typeof Life;
  LiveValue: typeof LiveValue;
  Signal: typeof Signal;
  Users: typeof Users<{ readonly closed: Promise<unknown>; close(): Promise<void> }>;
  begin: typeof begin;
  Failure: typeof failures.Failure;
  failureOf: typeof failures.failureOf;
  problemOf: typeof failures.problemOf;
  problem: typeof transport.problem;
  stranger: typeof transport.stranger;
  pieces: typeof transport.pieces;
  waitAsked: typeof transport.waitAsked;
  check(value: unknown, path: string): void;
}

/** How the loop says that a stream stands. */
export type Stands = Pick<StreamStatus, "state" | "reason" | "next" | "lastSynced" | "error">;

/** The database's place in a program, as far as data streams are concerned. */
export interface Seat {
  readonly handle: number;
  readonly runtime: { readonly live: boolean };
  readonly host: {
    data(db: number, name: string, own: boolean, done: (error: errors.Problem | null, id: number) => void): void;
    closeData(db: number, id: number): void;
    queued(db: number, name: string, pending: number, wrote: boolean, own: boolean): void;
    worked(db: number, op: number, sent: number, fetched: number, refused: number, pending: number, offset: string, more: boolean, wait: number, problem: object | null, alone: boolean, status: number, bytes: number): void;
    gone(db: number): void;
    entryDurable(db: number, stream: string, entry: string): void;
  };
}

/** Runs body in one transaction, and gives what it gave once that is durable. */
export interface Disk {
  run<T>(body: (tx: Tx) => Promise<T>): Promise<T>;
}

/** What came of a turn. */
export interface Worked {
  sent: number;
  fetched: number;
  refused: number;
  /** Entries that are not on the server. */
  pending: number;
  /** Where the end of what came from the server is. */
  offset: string;
  /** There is more to send or to fetch. */
  more: boolean;
  failure: failures.Failure | null;
  /** That is this stream's alone: something else got through. */
  alone: boolean;
}

/** What the database tells of itself. */
export interface Host {
  kit: Kit;
  /** The name that its contexts share. */
  shared: string;
  transport: transport.Transport;
  /** Its place in the program of now. */
  seat(): Seat | null;
  durability: "relaxed" | "strict";
  /** Whether the browser keeps what is committed. */
  durable(): boolean;
  /** Whether the app wants nothing kept: what is in memory is as well kept as it is to be. */
  readonly memory: boolean;
  /** What keeps things in the place of IndexedDB, where that is not the browser's. */
  disk?: Disk;
  /** The IndexedDB of a new frame of this origin, or null. */
  frame(): IDBFactory | null;
  /** Whether a database that an open has failed for was deleted, since the browser never opens it again. */
  healed(e: unknown, name: string): Promise<boolean>;
  newID(): string;
  log(level: "info" | "warn" | "error", code: string, message: string, cause?: unknown): void;
  tell(message: Hint): unknown;
  statusChanged(): void;
}
