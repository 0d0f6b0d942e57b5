// Where the script of the data streams comes from. It is loaded when it is needed first.
import type { DataSync } from "../data/sync.js";

type Script = { DataSync: typeof DataSync };

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
    throw e;
  }));
}
