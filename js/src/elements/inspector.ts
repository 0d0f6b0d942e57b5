// The inspector: what the open contexts of a database hold and do, and why something is stuck. It asks them over a channel, and opens, leads and writes nothing by itself.
import { bundleOf, chooser, save } from "./bundle.js";
import { panel } from "./panel.js";
import { keysOf, local } from "./stored.js";
import { age, button, bytes, cells, table, text, time } from "./tables.js";
import { trail } from "../bundle/stored.js";
import type { Inspected, Order } from "../life/inspection.js";
import type { Kept } from "../life/trail.js";
import type { Action, Conflict, Database, Rejected, StreamStatus } from "../../types/strandline.js";

export interface InspectOptions {
  /** Where it is shown; a panel at the foot of the page where there is none. */
  parent?: Element;
  /** The server's origin, as given to open: without it, the server's log is not shown. */
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
}

/** What a database is called, where the app has it open elsewhere. */
type Named = { readonly name: string; readonly user?: string | null };
type Entry = { index: number; stored: string; by: string; action: Action };

const newest = 50; // entries and wake-ups that are shown
const every = 1000; // milliseconds
const patience = 200; // looks whether a bundle is there

/** Shows a database until the function that it gives is called. */
export function inspect(db: Database | Named, options: InspectOptions = {}): () => void {
  const host = document.createElement("section");
  host.setAttribute("aria-label", `Inspector of ${db.name}`);
  if (!options.parent) host.style.cssText = "position:fixed;inset:auto 0 0 0;max-height:45vh;overflow:auto;z-index:2147483647;box-shadow:0 0 1rem #0006";
  (options.parent ?? document.body).append(host);
  const inspector = new Inspector(host.attachShadow({ mode: "open" }), db, options);
  return () => {
    inspector.end();
    host.remove();
  };
}

class Inspector {
  readonly #part: (name: string) => HTMLElement;
  readonly #db: Named;
  readonly #path: string;
  readonly #options: InspectOptions;
  readonly #channel: BroadcastChannel;
  readonly #marks = new Map<string, string>(); // what is large is read again only where something tells that it has changed
  #heard = new Map<string, Inspected>();
  #chosen = new URLSearchParams(location.search).get("stream") ?? "";
  #query: object = {};
  #head: number | null = null; // the server's
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(root: ShadowRoot, db: Database | Named, options: InspectOptions) {
    this.#db = db;
    this.#options = options;
    this.#path = (db as { shared?: string }).shared ?? `strandline/${encodeURIComponent(db.name)}/${encodeURIComponent(db.user ?? "")}`;
    this.#part = panel(root);
    this.#channel = new BroadcastChannel(this.#path);
    this.#channel.onmessage = ({ data }: MessageEvent<{ inspected?: Inspected } | null>) => {
      if (data?.inspected) this.#heard.set(data.inspected.id, data.inspected);
    };
    this.#part("log").parentElement!.hidden = options.server === undefined;
    this.#build();
    if ("closed" in db) void db.closed.then((why) => (this.#part("problem").textContent = why.message));
    void this.#tick();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#channel.close();
  }

  // ---- what is done

  #build(): void {
    this.#part("tools").append(
      button("Sync now", () => this.#order("sync")),
      button("Save a bundle", () => void this.#save("bundle")),
      button("Save one without texts", () => void this.#save("redacted")),
      chooser("Open a bundle", (file) => void file.text().then((text) => this.#part("bundle").replaceChildren(bundleOf(text)))),
    );
    const input = Object.assign(document.createElement("input"), { value: "{}", ariaLabel: "A query of rows, as JSON" });
    input.addEventListener("change", () => {
      try {
        this.#query = JSON.parse(input.value || "{}") as object;
        input.setCustomValidity("");
        void this.#tick();
      } catch (e) {
        input.setCustomValidity(String(e));
        input.reportValidity();
      }
    });
    this.#part("ask").append(input);
  }

  #order(what: Order["what"], action?: string): void {
    const to = [...this.#heard.values()].sort((a, b) => Number(b.leader) - Number(a.leader)).find((c) => c.seen || (what !== "retry" && what !== "discard"))?.id;
    if (!to) return void (this.#part("problem").textContent = "No page has it open: open the app in another tab.");
    this.#channel.postMessage({ order: { to, what, stream: this.#chosen, action } satisfies Partial<Order> });
    setTimeout(() => void this.#tick(), 100);
  }

  /** Has the leader, or another page, make a bundle, and saves it. */
  async #save(what: "bundle" | "redacted"): Promise<void> {
    const name = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.#order(what, name);
    for (let bundle: Blob | null = null, n = 0; !bundle && n < patience && !this.#ended; n++) {
      bundle = (await this.#ask({ bundle: name })).find((c) => c.bundle)?.bundle ?? null;
      if (bundle) save(bundle, `${this.#db.name}${what === "redacted" ? "-redacted" : ""}.strandline.jsonl`);
    }
  }

  // ---- what is shown

  /** What the contexts say that have it open, within a moment. */
  async #ask(asked: object): Promise<Inspected[]> {
    this.#heard = new Map();
    this.#channel.postMessage({ inspect: asked });
    for (let i = 0, before = -1; i < 6 && (this.#heard.size !== before || before === 0); i++) {
      before = this.#heard.size;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return [...this.#heard.values()];
  }

  async #tick(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#ended && !document.hidden) {
      try {
        await this.#show();
      } catch (e) {
        this.#part("problem").textContent = e instanceof Error ? e.message : String(e);
      }
    }
    clearTimeout(this.#timer);
    if (!this.#ended) this.#timer = setTimeout(() => void this.#tick(), every);
  }

  async #show(): Promise<void> {
    const all = await this.#ask({ stream: this.#chosen, query: this.#query });
    if (this.#ended) return;
    const first = all.find((c) => c.seen) ?? all.find((c) => c.leader) ?? all[0];
    const names = [...new Set(all.flatMap((c) => Object.keys(c.streams)))].sort();
    if (!names.includes(this.#chosen) && names.length > 0) this.#choose(names[0]!);
    const leader = all.find((c) => c.leader);
    this.#part("about").textContent = [
      `database ${this.#db.name}`, ...(this.#db.user ? [`user ${this.#db.user}`] : []), `${all.length} open`, leader ? `${leader.tab} leads` : "no tab leads",
    ].join(" · ");
    const status = all.map((c) => c.streams[this.#chosen]).find((s) => s !== undefined), seen = first?.seen ?? null;
    this.#part("why").textContent = all.length === 0 ? "No page has it open: what is below is what is stored." : status ? why(status) : "";
    this.#part("problem").textContent = [...all.map((c) => c.said), seen?.problem ?? ""].find((said) => said !== "") ?? "";
    this.#streams(all);
    const live = all.flatMap((c) => c.trace.map((turn) => ({ ...turn, tab: c.tab }))), known = new Set(live.map(turnKey));
    const kept = globalThis.indexedDB ? await trail<Kept>(this.#path).catch(() => []) : []; // of those that are gone, too
    const turns = [...live, ...kept.filter((turn) => !known.has(turnKey(turn)))].sort((a, b) => b.at - a.at);
    this.#part("wakeups").replaceChildren(table(["at", "took", "why", "of", "fetched", "persisted", "rejected", "status", "bytes", "error", "in"], turns.slice(0, newest).map((w) => cells(
      time(w.at), `${Math.round(w.took)} ms`, w.because, w.data ? `data: ${w.data}` : w.streams, w.fetched, w.persisted, w.rejected, w.status || "", bytes(w.bytes), w.code, w.tab,
    )), turns.length));
    this.#lists(seen, status, turns);
    const health = first?.health;
    this.#part("health").replaceChildren(text(health ? Object.entries(health).map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(" · ") : "It is not known yet."));
    if (this.#chosen === "") return;
    if (globalThis.indexedDB) await this.#anew("local", await keysOf(this.#path, this.#chosen), () => local(this.#path, this.#chosen));
    if (this.#options.server !== undefined) await this.#anew("log", `${this.#chosen} ${status?.head} ${status?.state}`, () => this.#log(status?.head ?? 0));
  }

  #choose(name: string): void {
    this.#chosen = name;
    this.#head = null;
    void this.#tick();
  }

  #streams(all: readonly Inspected[]): void {
    const to = this.#part("streams"), focused = (to.getRootNode() as ShadowRoot).activeElement?.textContent;
    const row = (name: string, s: StreamStatus, pick: Node | string) => cells(
      pick, s.state, name === this.#chosen && this.#head !== null ? `${s.head} of ${this.#head}` : s.head, s.pending, s.rejected, time(s.lastSynced), s.next ? `${time(s.next.at)}: ${s.next.because}` : "", s.error?.message ?? "",
    );
    const of = (key: "streams" | "data") => Object.entries(Object.assign({}, ...all.map((c) => c[key])) as { [name: string]: StreamStatus }).sort();
    const rows = of("streams").map(([name, s]) => {
      const pick = button(name, () => this.#choose(name));
      pick.setAttribute("aria-pressed", String(name === this.#chosen));
      return row(name, s, pick);
    });
    to.replaceChildren(table(["stream", "state", "head", "pending", "rejected", "synced", "next", "error"], [...rows, ...of("data").map(([name, s]) => row("", s, `data: ${name}`))]));
    if (focused) [...to.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus();
  }

  #lists(seen: Inspected["seen"], status: StreamStatus | undefined, turns: readonly { at: number; code: string }[]): void {
    const list = (part: string, titles: string[], rows: HTMLTableRowElement[], all: number, none: string) =>
      this.#part(part).replaceChildren(seen?.before ? text("The runtime is not there yet.") : rows.length > 0 ? table(titles, rows, all) : text(none));
    const pending = (seen?.pending ?? []) as readonly Action[], rejected = (seen?.rejected ?? []) as readonly Rejected[], conflicts = (seen?.conflicts ?? []) as readonly Conflict[];
    list("pending", ["action", "age", "tries", "not sent because", "ops"], pending.map((a) => {
      const made = Date.parse(a.at), tries = turns.filter((turn) => turn.at >= made && turn.code !== "").length;
      return cells(a.id.slice(-12), age(made), tries, a.seq === null ? "it is being stored" : status ? why(status) : "", JSON.stringify(a.ops));
    }), status?.pending ?? 0, "Nothing is pending.");
    list("rejected", ["action", "age", "why", "ops", ""], rejected.map((r) => {
      const tools = document.createElement("span");
      tools.append(button("Retry", () => this.#order("retry", r.action.id), `Retry ${r.action.id}`), " ", button("Discard", () => this.#order("discard", r.action.id), `Discard ${r.action.id}`));
      return cells(r.action.id.slice(-12), r.at ? age(r.at) : "", `${r.code}: ${r.message}${r.because ? ` (since ${r.because.slice(-12)} was)` : ""}`, JSON.stringify(r.action.ops), tools);
    }), status?.rejected ?? 0, "Nothing was refused.");
    list("conflicts", ["object", "key", "what", "mine", "theirs", "entry"], conflicts.map((c) =>
      cells(c.object.slice(-12), c.key, c.reason ? `${c.kind} (${c.reason})` : c.kind, JSON.stringify(c.mine) ?? "", JSON.stringify(c.theirs) ?? "", c.index)), conflicts.length, "There are none.");
    const rows = seen?.rows ?? [], keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== "id").slice(0, 12);
    this.#part("rows").replaceChildren(rows.length > 0
      ? table(["id", ...keys], rows.map((row) => cells(String((row as { id: string }).id).slice(-12), ...keys.map((key) => show((row as { [key: string]: unknown })[key])))), seen!.count)
      : text("No rows."));
  }

  async #anew(name: string, mark: string, make: () => Promise<Node>): Promise<void> {
    if (this.#marks.get(name) === mark) return;
    this.#part(name).replaceChildren(await make());
    this.#marks.set(name, mark);
  }

  async #log(head: number): Promise<Node> {
    const token = await this.#options.auth?.();
    const url = new URL("/v1/log", new URL(this.#options.server!, location.href));
    url.search = new URLSearchParams({ stream: this.#chosen, after: String(Math.max(0, head - newest)) }).toString();
    try {
      const response = await fetch(url, { headers: token ? { Authorization: `Bearer ${token}` } : {}, signal: AbortSignal.timeout(5000) });
      const answer = (await response.json()) as { entries?: Entry[]; head: number; code?: string };
      if (!response.ok) return text(`The server says: ${answer.code ?? response.status}.`);
      this.#head = answer.head;
      const rows = (answer.entries ?? []).map((e) => cells(e.index, e.by, e.action.client.slice(-6), JSON.stringify(e.action.ops))).reverse();
      return table(["index", "by", "client", "ops"], rows, answer.head);
    } catch {
      this.#head = null;
      return text("The server cannot be reached.");
    }
  }
}

const turnKey = (turn: { at: number; because: string; data: string; took: number }) => `${turn.at} ${turn.took} ${turn.because} ${turn.data}`;
const show = (value: unknown): string => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** Why what is pending is not on the server, or that all is well. */
function why(s: StreamStatus): string {
  const next = s.next ? ` Next try at ${time(s.next.at)} (${s.next.because}).` : "";
  switch (s.state) {
    case "starting": return "The runtime is being loaded.";
    case "syncing": return "It is being sent or fetched now.";
    case "live": return s.pending > 0 ? "It goes with the next turn." : "All is sent, and all that there is has come.";
    case "offline": return `There is no network.${next}`;
    case "waiting": return `The last try failed: ${s.error?.message ?? "no answer"}.${next}`;
    case "held": return s.error?.code === "schema" ? `The server takes changes of newer code alone: load the app anew. (${s.error.message})` : `There is no valid token: sign in again.${next}`;
    case "stopped": return `The stream has stopped (${s.reason ?? s.error?.code ?? "an error"}): ${s.error?.message ?? ""}`;
  }
}

const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement; // there is none where it is rendered without a browser

/** `<strandline-inspector database="my-app" user="ada" server="/">`, once it is defined by loading this. */
export class StrandlineInspector extends Base {
  #stop: (() => void) | null = null;

  connectedCallback(): void {
    const name = this.getAttribute("database");
    if (!name) return;
    const server = this.getAttribute("server");
    this.#stop = inspect({ name, user: this.getAttribute("user") }, { parent: this, ...(server === null ? {} : { server }) });
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#stop = null;
  }
}

if (globalThis.customElements && !customElements.get("strandline-inspector")) customElements.define("strandline-inspector", StrandlineInspector);
