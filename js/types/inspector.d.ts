import type { Database } from "./strandline.js";

export interface InspectOptions {
  /** Where it is shown; a panel at the foot of the page where there is none. */
  parent?: Element;
  /** The server's origin, as given to open: without it, the server's log is not shown. */
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
}

/** Shows what a database holds and does, live: streams, pending actions, the local log, the server's, and the wake-ups of every tab with
    their reasons. Gives a function that ends it. */
export function inspect(db: Database, options?: InspectOptions): () => void;
