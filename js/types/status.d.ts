// How a database stands, for users: an element, a guard before the page goes, the number at the app's icon. Loading it defines `<strandline-status>`.
import type { Database } from "./strandline.js";

/** "Saved", "3 waiting", "Offline, 3 waiting", "2 refused", "Signed out": `<strandline-status>`, whose attribute `state` says the same to style sheets ("saved", "waiting",
 * "offline", "held", "stopped"; and `refused`). Its parts are `dot` and `text`; the dot's colours are `--strandline-saved`, `-waiting`, `-offline`, `-refused`. Changes are read out.
 * @example
 * import type { StrandlineStatus } from "strandline/status";
 *
 * document.querySelector<StrandlineStatus>("strandline-status")!.db = db; */
export class StrandlineStatus extends HTMLElement {
  db: Database | null;
  words: Words;
}

/** What it says; assign others, in your language, to `words` or to one element. */
export interface Words {
  saved: string;
  waiting(count: number): string;
  refused(count: number): string;
  offline: string;
  signedOut: string;
  /** Held, since the server takes changes of newer code alone. */
  outdated: string;
  stopped: string;
}
export const words: Words;

/** Has the browser ask before the page goes, while something would be lost with it (the browser keeps nothing, see `health().indexedDB`); or, where unsent is said, while the
 * server does not have all. Gives what ends it.
 * @example
 * import { guardUnload } from "strandline/status";
 *
 * const end = guardUnload(db, { unsent: true }); */
export function guardUnload(db: Database, options?: { unsent?: boolean }): () => void;

/** Keeps the number at the installed app's icon: what waits for the server, and what it has refused. Gives what ends it.
 * @example
 * import { badge as appBadge } from "strandline/status";
 *
 * appBadge(db); */
export function badge(db: Database): () => void;

declare global {
  interface HTMLElementTagNameMap {
    "strandline-status": StrandlineStatus;
  }
}
