// A bundle: what a profile holds of a database, as lines of JSON. docs/BUNDLES.md has the format.
import type { DataSync } from "../data/sync.js";
import type { DataStream } from "../data/stream.js";
import type { Write } from "../values/write.js";

/** The first line. */
export interface Header {
  readonly bundle: number;
  readonly id: string;
  readonly at: string;
  readonly database: string;
  readonly user: string | null;
  readonly version: string;
  readonly agent: string;
  readonly redacted: boolean;
}

/** One of the others: the member that it has says what it tells. */
export interface Line {
  readonly stream?: string;
  readonly pending?: { readonly id: string };
  readonly rejected?: { readonly action: { readonly id: string } };
  readonly data?: string;
  readonly entry?: string;
  readonly type?: string;
  readonly value?: unknown;
  readonly bytes?: string;
  readonly lines?: number;
}

/** A stream of actions. */
export interface Opened {
  readonly client: string;
  pending(): readonly unknown[] | null;
  rejected(): readonly object[] | null;
  conflicts(): readonly object[] | null;
  resets(): readonly object[] | null;
  adopt(text: string): Write<void>;
  close(): Promise<void>;
}

/** The database. */
export interface Of {
  readonly name: string;
  readonly user: string | null;
  /** The name that its contexts share. */
  readonly shared: string;
  /** Of the build. */
  readonly version: string;
  readonly online: boolean;
  /** What is written now is durable, or was refused. */
  flushed(): Promise<unknown>;
  /** How it stands, what the browser gives, the last turns of this context. */
  told(): Promise<{ status: object; health: object; turns: readonly { at: number }[] }>;
  /** The streams that have a local log. */
  names(): Promise<string[]>;
  /** What is stored of one, as the program lists it, and what it is at which record. */
  stored(name: string, redact: boolean): Promise<{ things: Uint8Array; stand: string | null }>;
  /** Its data streams; null where it has none. */
  data(): Promise<DataSync | null>;
  openData(name: string, options: { contentType?: string }): Promise<DataStream>;
  /** Opens a stream, and waits for the program. */
  open(name: string): Promise<Opened>;
  sync(): Promise<void>;
  newID(): string;
  invalid(path: string, message: string): Error;
}
