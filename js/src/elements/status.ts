// How a database stands, in a word or two that users understand; a guard before what would be lost; the app's badge.
import type { Database, Status, StreamStatus } from "../../types/strandline.js";

/** What is said; each may be another, in the app's language. */
export interface Words {
  saved: string;
  waiting(count: number): string;
  refused(count: number): string;
  offline: string;
  signedOut: string;
  outdated: string;
  stopped: string;
}

export const words: Words = {
  saved: "Saved",
  waiting: (count) => `${count} waiting`,
  refused: (count) => `${count} refused`,
  offline: "Offline",
  signedOut: "Signed out",
  outdated: "Load the newer version",
  stopped: "Stopped",
};

/** What counts of all streams. */
function sum(status: Status): { state: "saved" | "waiting" | "offline" | "held" | "stopped"; outdated: boolean; pending: number; rejected: number } {
  const all: StreamStatus[] = [...Object.values(status.streams), ...Object.values(status.data)];
  const has = (...states: StreamStatus["state"][]) => all.some((s) => states.includes(s.state));
  const pending = all.reduce((n, s) => n + s.pending, 0), rejected = all.reduce((n, s) => n + s.rejected, 0);
  return { state: has("stopped") ? "stopped" : has("held") ? "held" : has("offline", "waiting") ? "offline" : pending > 0 ? "waiting" : "saved", outdated: all.some((s) => s.error?.code === "schema"), pending, rejected };
}

const style = `
:host { display: inline-flex; align-items: center; gap: 0.4em; font: inherit; }
:host([hidden]) { display: none; }
[part="dot"] { inline-size: 0.6em; block-size: 0.6em; border-radius: 50%; background: var(--strandline-saved, #2a8f4e); }
:host([state="waiting"]) [part="dot"] { background: var(--strandline-waiting, #2a6fb0); }
:host([state="offline"]) [part="dot"] { background: var(--strandline-offline, #7a7f85); }
:host([state="held"]) [part="dot"], :host([state="stopped"]) [part="dot"], :host([refused]) [part="dot"] { background: var(--strandline-refused, #b3392f); }`;

const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement; // there is none where it is rendered without a browser

/** `<strandline-status>`: set its property `db`. */
export class StrandlineStatus extends Base {
  /** What it says; those of all elements, where the app gives no others. */
  words: Words = words;
  #db: Database | null = null;
  #end: (() => void) | null = null;
  #text: HTMLElement | null = null;

  get db(): Database | null {
    return this.#db;
  }

  set db(db: Database | null) {
    this.#end?.();
    this.#end = null;
    this.#db = db;
    if (this.isConnected) this.connectedCallback();
  }

  connectedCallback(): void {
    if (!this.#text) {
      const root = this.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet(), dot = document.createElement("span");
      sheet.replaceSync(style);
      root.adoptedStyleSheets = [sheet];
      dot.setAttribute("part", "dot");
      dot.ariaHidden = "true";
      this.#text = document.createElement("span");
      this.#text.setAttribute("part", "text");
      root.append(dot, this.#text);
      if (!this.hasAttribute("role")) this.setAttribute("role", "status"); // read out when it changes
    }
    if (Object.hasOwn(this, "db")) { // it was set before the element was defined
      const { db } = this;
      delete (this as Partial<StrandlineStatus>).db;
      this.#db = db;
    }
    const db = this.#db;
    if (!db || this.#end) return;
    void db.closed.then(() => this.#db === db && this.#clear());
    const { status } = db.live;
    try {
      this.#end = status.subscribe((now) => this.#show(now));
      this.#show(status.current);
    } catch {
      this.#clear(); // it is closed
    }
  }

  /** Nothing is known any more. */
  #clear(): void {
    this.#text!.textContent = "";
    this.removeAttribute("state");
    this.removeAttribute("refused");
  }

  disconnectedCallback(): void {
    this.#end?.();
    this.#end = null;
  }

  #show(status: Status): void {
    const { state, outdated: old, pending, rejected } = sum(status), { saved, waiting, refused, offline, signedOut, outdated, stopped } = this.words;
    const parts = [state === "offline" ? offline : state === "held" ? (old ? outdated : signedOut) : state === "stopped" ? stopped : ""];
    if (pending > 0) parts.push(waiting(pending));
    if (rejected > 0) parts.push(refused(rejected));
    const said = parts.filter((part) => part !== "").join(", ") || saved;
    this.setAttribute("state", state);
    this.toggleAttribute("refused", rejected > 0);
    if (this.#text!.textContent !== said) this.#text!.textContent = said;
  }
}

if (globalThis.customElements && !customElements.get("strandline-status")) customElements.define("strandline-status", StrandlineStatus);

/** Has the browser ask before the page goes, while something would be lost with it: it is kept nowhere else; or, where unsent is said, while the server does not have it. */
export function guardUnload(db: Database, options: { unsent?: boolean } = {}): () => void {
  const { status, health } = db.live;
  const guard = (e: BeforeUnloadEvent) => {
    if (sum(status.current).pending > 0 && (options.unsent === true || (health.current !== null && health.current.indexedDB !== "ok"))) e.preventDefault();
  };
  const watched = health.subscribe(() => {}); // it is known when it is asked for
  addEventListener("beforeunload", guard);
  const end = () => {
    removeEventListener("beforeunload", guard);
    watched();
  };
  void db.closed.then(end);
  return end;
}

/** Keeps the number at the installed app's icon: what waits for the server, and what it has refused. */
export function badge(db: Database): () => void {
  const app = navigator as Navigator & { setAppBadge?(n: number): Promise<void>; clearAppBadge?(): Promise<void> };
  let shown = -1;
  const show = (now: Status) => {
    const { pending, rejected } = sum(now), n = pending + rejected;
    if (n === shown) return;
    shown = n;
    (n > 0 ? app.setAppBadge?.(n) : app.clearAppBadge?.())?.catch(() => {}); // it is not installed
  };
  const over = db.live.status.subscribe(show);
  const end = () => {
    over();
    if (shown > 0) app.clearAppBadge?.()?.catch(() => {});
    shown = 0;
  };
  show(db.live.status.current);
  void db.closed.then(end);
  return end;
}
