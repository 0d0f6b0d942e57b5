// The inspector: what a database holds and does, live. A module of its own, which any app can load beside the runtime.
import type { Action, Database, Status, Stream, WakeUp } from "../../types/strandline.js";

export interface InspectOptions {
  /** Where it is shown; a panel at the foot of the page where there is none. */
  parent?: Element;
  /** The server's origin, as given to open: without it, the server's log is not shown. */
  server?: string | URL;
  auth?: () => string | null | Promise<string | null>;
}

type Heard = { trace: WakeUp[]; leader: boolean; tab: string };
type Entry = { index: number; stored: string; by: string; action: Action };

const newest = 50; // entries, records and wake-ups that are shown

/** Shows a database until the function that it gives is called. */
export function inspect(db: Database, options: InspectOptions = {}): () => void {
  const host = document.createElement("section");
  host.setAttribute("aria-label", `Inspector of ${db.name}`);
  if (!options.parent) host.style.cssText = "position:fixed;inset:auto 0 0 0;max-height:45vh;overflow:auto;z-index:2147483647;box-shadow:0 0 1rem #0006";
  const root = host.attachShadow({ mode: "open" });
  const part = frame(root);
  (options.parent ?? document.body).append(host);

  const path = `strandline/${encodeURIComponent(db.name)}/${encodeURIComponent(db.user ?? "")}`;
  const channel = new BroadcastChannel(path);
  let heard: Heard[] = [];
  channel.onmessage = (e: MessageEvent<Heard | unknown>) => {
    const data = e.data as Partial<Heard> | null;
    if (Array.isArray(data?.trace)) heard.push(data as Heard);
  };
  let chosen = "";
  let stopped = false;

  // What is large is read again only where something tells that it has changed.
  const marks = new Map<string, string>();
  const opened = new Map<string, Promise<Stream>>(); // once each, since they are counted
  const anew = async (name: string, mark: string, make: () => Promise<Node>) => {
    if (marks.get(name) === mark) return;
    part(name).replaceChildren(await make());
    marks.set(name, mark);
  };
  const show = async () => {
    const status = db.status;
    const names = Object.keys(status.streams).sort();
    if (!names.includes(chosen)) chosen = names[0] ?? "";
    about(part("about"), db, status, heard);
    streams(part("streams"), status, chosen, (name) => {
      chosen = name;
      void tick();
    });
    wakeUps(part("wakeups"), heard);
    heard = [];
    channel.postMessage("trace?"); // answered by the next time
    if (chosen === "") return;
    if (!opened.has(chosen)) opened.set(chosen, db.stream(chosen));
    const stream = await opened.get(chosen)!;
    part("pending").replaceChildren(pending(stream));
    await anew("local", await keysOf(path, chosen), () => local(path, chosen));
    const state = `${chosen} ${stream.head} ${stream.status.state}`;
    if (options.server !== undefined) await anew("log", state, () => log(options, chosen, stream.head));
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  const tick = async () => {
    clearTimeout(timer);
    if (stopped || busy) return;
    busy = true;
    try {
      if (!document.hidden) await show();
    } catch (e) {
      part("problem").textContent = e instanceof Error ? e.message : String(e);
    }
    busy = false;
    timer = setTimeout(() => void tick(), 1000);
  };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    channel.close();
    host.remove();
    for (const stream of opened.values()) stream.then((s) => s.close()).catch(() => {});
  };
  void db.closed.then((why) => {
    stopped = true;
    part("problem").textContent = why.message;
  });
  part("log").parentElement!.hidden = options.server === undefined;
  void tick();
  return stop;
}

function about(to: HTMLElement, db: Database, status: Status, heard: Heard[]): void {
  const leader = status.leader ? "this tab leads" : heard.some((h) => h.leader) ? "another tab leads" : "no tab leads";
  to.textContent = [`database ${db.name}`, ...(db.user === null ? [] : [`user ${db.user}`]), `${Math.max(1, heard.length)} open`, leader].join(" · ");
}

function streams(to: HTMLElement, status: Status, chosen: string, choose: (name: string) => void): void {
  const of = (all: Status["streams"], data: boolean) => Object.entries(all).sort().map(([name, s]) => {
    const row = cells("td", "", s.state, s.head, s.pending, s.rejected, time(s.lastSynced), s.next ? `${time(s.next.at)}: ${s.next.because}` : "", s.error?.message ?? "");
    if (data) {
      row.firstElementChild!.textContent = `data: ${name}`;
      return row;
    }
    const pick = document.createElement("button");
    pick.type = "button";
    pick.textContent = name;
    pick.setAttribute("aria-pressed", String(name === chosen));
    pick.addEventListener("click", () => choose(name));
    row.firstElementChild!.append(pick);
    return row;
  });
  const focused = (to.getRootNode() as ShadowRoot).activeElement?.textContent;
  to.replaceChildren(table(["stream", "state", "head", "pending", "rejected", "synced", "next", "error"], [...of(status.streams, false), ...of(status.data, true)]));
  if (focused) [...to.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus();
}

function wakeUps(to: HTMLElement, heard: Heard[]): void {
  const all = heard.flatMap((h) => h.trace.map((w) => ({ ...w, tab: h.tab })));
  all.sort((a, b) => b.at - a.at);
  const rows = all.slice(0, newest).map((w) => cells("td", time(w.at), `${Math.round(w.took)} ms`, w.because, w.fetched, w.persisted, w.rejected, w.code, w.tab));
  to.replaceChildren(table(["at", "took", "why", "fetched", "persisted", "rejected", "error", "tab"], rows));
}

function pending(stream: Stream): Node {
  const actions = stream.pending();
  if (!actions) return text("The runtime is not there yet.");
  if (actions.length === 0) return text("Nothing is pending.");
  return table(["seq", "base", "ops"], actions.slice(0, newest).map((a) => cells("td", a.seq ?? "not stored yet", a.base, JSON.stringify(a.ops))), actions.length);
}

type Read = <T>(store: string, ask: (store: IDBObjectStore, range: IDBKeyRange) => IDBRequest<T>) => Promise<T>;

/** Reads what IndexedDB holds of a stream; null where there is no database. The layout is idbstore's. */
async function stored<R>(path: string, stream: string, use: (read: Read) => Promise<R>): Promise<R | null> {
  const db = await new Promise<IDBDatabase | null>((resolve) => {
    const request = indexedDB.open(path);
    request.onupgradeneeded = () => request.transaction!.abort(); // it is not there: none is made
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
  if (!db) return null;
  try {
    const tx = db.transaction(["records", "meta"]);
    const range = IDBKeyRange.bound([stream], [stream, []]);
    return await use((store, ask) => new Promise((resolve, reject) => {
      const request = ask(tx.objectStore(store), range);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }));
  } finally {
    db.close();
  }
}

/** A record and a page never change: their keys tell what is there. */
async function keysOf(path: string, stream: string): Promise<string> {
  const keys = await stored(path, stream, (read) => Promise.all(["records", "meta"].map((store) => read(store, (s, range) => s.getAllKeys(range)))));
  return JSON.stringify([stream, keys]);
}

async function local(path: string, stream: string): Promise<Node> {
  const node = await stored(path, stream, async (read) => {
    const [keys, values, names, pages] = await Promise.all([
      read("records", (s, range) => s.getAllKeys(range)), read("records", (s, range) => s.getAll(range)),
      read("meta", (s, range) => s.getAllKeys(range)), read("meta", (s, range) => s.getAll(range)),
    ]);
    const size = (all: Uint8Array[]) => all.reduce((sum, b) => sum + b.byteLength, 0);
    const rows = keys.map((key, i) => cells("td", (key as [string, number])[1], bytes((values[i] as Uint8Array).byteLength))).reverse();
    const out = document.createDocumentFragment();
    out.append(
      text(`${keys.length} records, ${bytes(size(values))}; checkpoint of ${Math.max(0, names.length - 1)} pages, ${bytes(size(pages))}.`),
      table(["record", "size"], rows.slice(0, newest), rows.length),
    );
    return out;
  });
  return node ?? text("There is no local database.");
}

async function log(options: InspectOptions, stream: string, head: number): Promise<Node> {
  const token = await options.auth?.();
  const url = new URL("/v1/log", new URL(options.server!, location.href));
  url.search = new URLSearchParams({ stream, after: String(Math.max(0, head - newest)) }).toString();
  try {
    const response = await fetch(url, { headers: token ? { Authorization: `Bearer ${token}` } : {}, signal: AbortSignal.timeout(5000) });
    const answer = (await response.json()) as { entries?: Entry[]; head: number; code?: string };
    if (!response.ok) return text(`The server says: ${answer.code ?? response.status}.`);
    const rows = (answer.entries ?? []).map((e) => cells("td", e.index, e.by, e.action.client.slice(-6), JSON.stringify(e.action.ops))).reverse();
    return table(["index", "by", "client", "ops"], rows, answer.head);
  } catch {
    return text("The server cannot be reached.");
  }
}

// ---- words and tables

function cells(kind: "td" | "th", ...values: (string | number)[]): HTMLTableRowElement {
  const row = document.createElement("tr");
  for (const value of values) row.append(Object.assign(document.createElement(kind), { textContent: String(value) }));
  return row;
}

function table(titles: string[], rows: HTMLTableRowElement[], all = rows.length): HTMLElement {
  const out = document.createElement("div");
  out.className = "scroll";
  out.tabIndex = 0;
  const head = document.createElement("thead"), body = document.createElement("tbody"), made = document.createElement("table");
  head.append(cells("th", ...titles));
  body.append(...rows);
  made.append(head, body);
  out.append(made);
  if (all > rows.length) out.append(text(`${all} in all`));
  return out;
}

const text = (words: string) => Object.assign(document.createElement("p"), { textContent: words });
const time = (ms: number | null) => (ms ? new Date(ms).toLocaleTimeString(undefined, { hour12: false }) : "");
const bytes = (n: number) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`);

const style = `
:host { color-scheme: light dark; display: block; font: 13px/1.45 system-ui, sans-serif; color: CanvasText; background: Canvas; }
.grid { display: grid; gap: 0.75rem; padding: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.wide { grid-column: 1 / -1; }
h2 { margin: 0 0 0.25rem; font-size: 1em; }
p { margin: 0.25rem 0; }
section { min-width: 0; }
.scroll { max-height: 18rem; overflow: auto; border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); border-radius: 0.375rem; }
table { width: 100%; border-collapse: collapse; font: 12px/1.4 ui-monospace, monospace; }
th, td { padding: 0.15rem 0.5rem; text-align: start; vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: Canvas; font-weight: 600; }
tbody tr:nth-child(odd) { background: color-mix(in srgb, CanvasText 5%, Canvas); }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: start; text-decoration: underline; }
button[aria-pressed="true"] { font-weight: 700; }
:focus-visible { outline: 2px solid Highlight; }
[data-part="problem"]:empty { display: none; }`;

/** Builds the panel without any markup in a string, which strict policies forbid. Gives its parts by name. */
function frame(root: ShadowRoot): (part: string) => HTMLElement {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const main = document.createElement("div");
  main.className = "grid";
  const parts = new Map<string, HTMLElement>();
  const add = (name: string, title: string, wide: boolean) => {
    const section = document.createElement("section"), part = document.createElement("div");
    section.className = wide ? "wide" : "";
    part.dataset.part = name;
    parts.set(name, part);
    if (title) section.append(Object.assign(document.createElement("h2"), { textContent: title }));
    section.append(part);
    main.append(section);
  };
  add("about", "Strandline inspector", true);
  add("problem", "", true);
  parts.get("problem")!.setAttribute("role", "alert");
  add("streams", "Streams", true);
  add("pending", "Pending", false);
  add("local", "Local log", false);
  add("log", "Log on the server", true);
  add("wakeups", "Wake-ups, and why", true);
  root.append(main);
  return (name) => parts.get(name)!;
}
