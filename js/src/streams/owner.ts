import type { SyncError } from "../values/errors.js";
import type { ObjectHistory } from "../values/states.js";
import type { Stream } from "./stream.js";

/** What a stream asks of its database, and tells it. */
export interface Owner {
  /** Whether what is committed is as well kept as the app wants it. */
  readonly keeps: boolean;
  /** Why the first program has not come in time. */
  readonly overdue: SyncError | null;
  /** Something was written. */
  wrote(): void;
  statusChanged(): void;
  /** Something in the local database is newer than this. */
  outdated(): void;
  /** Rows that were stored are not those of the log; they are being replaced. */
  differed(stream: string): void;
  /** What the server's log has made of an object. */
  history(stream: string, object: string): Promise<ObjectHistory>;
  warn(code: string, message: string, cause?: unknown): void;
  /** One who has it open lets go of it; false where others have it open still. */
  letGo(stream: Stream): boolean;
  /** It has ended. */
  forget(stream: Stream): void;
}
