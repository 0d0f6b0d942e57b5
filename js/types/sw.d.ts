// The module for service workers: the same surface in one file, and the wake-ups.
import type { OpenOptions } from "./strandline.js";
export * from "./strandline.js";

/** For a service worker: importScripts("strandline.sw.js"), or import from "strandline/sw"; then serviceWorker({ ... }) with what the pages give to open.
    At the wake-ups "sync" (which pages ask for when something stays unsent), "periodicsync" (of the tag "strandline") and "push" it sends what is
    unsent and fetches what is new, within a minute, inside waitUntil. streams: which ones; default: all that this browser has. */
export function serviceWorker(options: Pick<OpenOptions, "name" | "user" | "server" | "auth" | "wasm" | "schemaVersion" | "log"> & { streams?: readonly string[] }): void;
