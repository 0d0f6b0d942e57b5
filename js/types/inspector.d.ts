// Why is it stuck? Loading it defines `<strandline-inspector database="my-app" server="/">`.
import type { Database } from "./strandline.js";

export interface InspectOptions {
  /** Where it is shown; a panel at the foot of the page where there is none. */
  parent?: Element;
  /** The server's origin, as given to open: without it, the server's log is not shown. */
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
}

/** Shows what the open pages and workers of a database hold and do, live: why something is not sent, pending actions with age and tries, refused ones with reasons, conflicts, rows by a
 * query, the local log, the server's, the wake-ups of every tab with their reasons, and what the browser gives; retry, discard, sync now, save and open bundles. It asks them over a channel of the
 * origin: it opens, leads and writes nothing by itself. A name (and user) will do, where the app is open elsewhere. Gives a function that ends it.
 * @example
 * import { inspect } from "strandline/inspector";
 *
 * const end = inspect(db, { server: location.origin }); */
export function inspect(db: Database | { readonly name: string; readonly user?: string | null }, options?: InspectOptions): () => void;

/** The same as an element, with the attributes `database`, `user`, `server`. */
export class StrandlineInspector extends HTMLElement {}

declare global {
  interface HTMLElementTagNameMap {
    "strandline-inspector": StrandlineInspector;
  }
}
