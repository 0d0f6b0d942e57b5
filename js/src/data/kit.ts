// What the main script lends: errors must be of its classes, and its own file is to stay small, so that this one is loaded when the first
// data stream is opened.
import type * as errors from "../values/errors.js";
import type { Events } from "../values/events.js";
import type { Life } from "../values/life.js";
import type { LiveValue, Signal } from "../values/live.js";
import type { Users } from "../values/users.js";
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
  check(value: unknown, path: string): void;
}

/** What the database tells of itself. */
export interface Host {
  kit: Kit;
  /** The name that its contexts share. */
  shared: string;
  url: string; // of /v1; "" for local only
  auth: (() => string | null | Promise<string | null>) | undefined;
  durability: "relaxed" | "strict";
  /** Whether the browser keeps what is committed. */
  durable(): boolean;
  /** The IndexedDB of a new frame of this origin, or null. */
  frame(): IDBFactory | null;
  retry: number;
  idle: number;
  newID(): string;
  log(level: "info" | "warn" | "error", code: string, message: string, cause?: unknown): void;
  tell(message: object): unknown;
  statusChanged(): void;
  /** Says which data streams the database's one connection for hints is to be about as well, while this context leads. */
  listenFor(names: string[]): void;
  /** Entries that actions wait for may be on the server now. */
  poke(): void;
}
