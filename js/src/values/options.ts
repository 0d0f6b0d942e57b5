// The options of a database and of a stream.
import { invalid } from "./errors.js";
import { escape } from "./json.js";
import { readShapes, type ShapesGiven } from "./shapes.js";

export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;
export type LogEntry = { level: "info" | "warn" | "error"; code: string; message: string; stream?: string; cause?: unknown };

export interface OpenOptions {
  name: string;
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
  user?: string;
  wasm?: WasmSource;
  storage?: "indexeddb" | "memory";
  fetch?: typeof fetch;
  durability?: "relaxed" | "strict";
  timers?: { retry?: number; idle?: number };
  persist?: boolean;
  schemaVersion?: number;
  log?: (entry: LogEntry) => void;
}

const known = new Set(["name", "server", "auth", "user", "wasm", "storage", "fetch", "durability", "timers", "persist", "schemaVersion", "log"]);

/** The name that the contexts of a database share, and its background sync. */
export function sharedName(o: { name: string; user?: string; storage?: string; server?: string | URL }): string {
  const name = `${encodeURIComponent(o.name)}/${encodeURIComponent(o.user ?? "")}`;
  return o.storage === "memory" ? `strandline:memory/${name}/${encodeURIComponent(String(o.server ?? ""))}` : `strandline/${name}`;
}

/** The URL of /v1, or "" for local only. */
export function checkOptions(o: OpenOptions): string {
  if (typeof o !== "object" || o === null) throw invalid("", "open takes an object of options");
  for (const key of Object.keys(o)) if (!known.has(key)) throw invalid(`/${key}`, "is no option");
  if (typeof o.name !== "string" || o.name === "") throw invalid("/name", "a database has a name");
  if (o.user !== undefined && typeof o.user !== "string") throw invalid("/user", "is no string");
  if (o.auth !== undefined && typeof o.auth !== "function") throw invalid("/auth", "is no function");
  if (o.persist !== undefined && typeof o.persist !== "boolean") throw invalid("/persist", "is no boolean");
  if (o.schemaVersion !== undefined && !(Number.isInteger(o.schemaVersion) && o.schemaVersion > 0 && o.schemaVersion <= 1e9)) throw invalid("/schemaVersion", "is no number from 1 to 1,000,000,000");
  if (o.log !== undefined && typeof o.log !== "function") throw invalid("/log", "is no function");
  if (o.fetch !== undefined && typeof o.fetch !== "function") throw invalid("/fetch", "is no function");
  if (o.storage !== undefined && o.storage !== "indexeddb" && o.storage !== "memory") throw invalid("/storage", 'is neither "indexeddb" nor "memory"');
  if (o.durability !== undefined && o.durability !== "relaxed" && o.durability !== "strict") throw invalid("/durability", 'is neither "relaxed" nor "strict"');
  for (const key of ["retry", "idle"] as const) {
    const ms = o.timers?.[key];
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 1)) throw invalid(`/timers/${key}`, "is no number of milliseconds");
  }
  if (o.server === undefined) return "";
  try {
    const url = new URL(o.server, globalThis.location?.href);
    if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("no http");
    return url.href.replace(/[?#].*$/, "").replace(/\/*$/, "") + "/v1";
  } catch {
    throw invalid("/server", "is no http URL");
  }
}

export interface StreamOptions {
  conflictFree?: boolean;
  conflicts?: number;
  schema?: ShapesGiven;
}

const knownOfStream = new Set(["conflictFree", "conflicts", "schema"]);

export function checkName(name: unknown): asserts name is string {
  if (typeof name !== "string") throw invalid("/name", "is no string");
}

/** Throws InvalidError where the options are none. */
export function checkStreamOptions(o: StreamOptions): void {
  if (typeof o !== "object" || o === null) throw invalid("", "stream takes an object of options");
  for (const key of Object.keys(o)) if (!knownOfStream.has(key)) throw invalid(`/${escape(key)}`, "is no option");
  if (o.conflictFree !== undefined && typeof o.conflictFree !== "boolean") throw invalid("/conflictFree", "is neither true nor false");
  if (o.conflicts !== undefined && !(Number.isInteger(o.conflicts) && o.conflicts > 0 && o.conflicts <= 1e6)) throw invalid("/conflicts", "is no number from 1 to 1,000,000");
  if (o.schema !== undefined) readShapes(o.schema);
}
