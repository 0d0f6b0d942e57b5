// Where the script comes from that is loaded when it is needed first: of the data streams, and of bundles.
import type { take } from "../bundle/take.js";
import type { write } from "../bundle/write.js";
import type { DataSync } from "../data/sync.js";
import { SyncError } from "../values/errors.js";

type Script = { DataSync: typeof DataSync; take: typeof take; write: typeof write };

let load: () => Promise<Script>;
let loading: Promise<Script> | null = null;

/** Says how to load it. */
export function setData(how: () => Promise<Script>): void {
  load = how;
}

/** The script. A load that failed is tried anew by the next call. */
export function dataScript(): Promise<Script> {
  return (loading ??= load().catch((e: unknown) => {
    loading = null;
    throw new SyncError({ code: "unreachable", message: "the script of the data streams could not be loaded", retryable: true }, e);
  }));
}
