// Two replicas on one page, each with a network switch of its own, and the log between them.
import { open, type Action, type Database, type Row, type Stream } from "strandline";

import { problem, said, words } from "./connection.js";

type Notes = { note: { text: string; at: number } };
type Note = Row<Notes, "note">;

const name = new URLSearchParams(location.search).get("stream") || "phones";
const realFetch = globalThis.fetch;
const off = new Map<string, AbortController | null>(); // by phone: null while it is offline

// Each phone asks the server under a path of its own, so that one network can be cut.
globalThis.fetch = (resource, init) => {
  const phone = /^\/phone-(.)\/v1/.exec(new URL(String(resource), location.href).pathname)?.[1];
  if (phone === undefined) return realFetch(resource, init);
  const network = off.get(phone);
  if (!network) return Promise.reject(new TypeError(`phone ${phone} is offline`));
  const signal = init?.signal ? AbortSignal.any([init.signal, network.signal]) : network.signal;
  return realFetch(String(resource).replace(`/phone-${phone}/`, "/"), { ...init, signal });
};

const clients = new Map<string, string>(); // phones by client id

async function phone(letter: string): Promise<void> {
  const frame = document.querySelector<HTMLElement>(`[data-phone="${letter}"]`)!;
  frame.append((document.getElementById("phone") as HTMLTemplateElement).content.cloneNode(true));
  const one = <T extends HTMLElement>(selector: string) => frame.querySelector(selector) as T;
  one("h2").textContent = `Phone ${letter}`;
  off.set(letter, new AbortController());
  const db = await open({ name: `phone-${letter}`, server: new URL(`/phone-${letter}`, location.href), timers: { retry: 2000 } });
  const stream = await db.stream<Notes>(name);
  clients.set(stream.client, letter);
  network(letter, one<HTMLInputElement>(".switch input"), db);

  const list = one(".notes");
  const render = (rows: readonly Note[]) => {
    const items = new Map([...list.children].map((li) => [(li as HTMLElement).dataset.id!, li as HTMLElement]));
    rows.forEach((note, i) => {
      const li = items.get(note.id) ?? item(stream, note.id, letter);
      items.delete(note.id);
      const input = li.querySelector("input")!;
      if (document.activeElement !== input) input.value = note.text;
      li.classList.toggle("pending", stream.isPending(note.id));
      if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null);
    });
    for (const li of items.values()) li.remove();
  };
  const query = { type: "note", orderBy: ["at", "id"] } as const;
  let rows: readonly Note[] = [];
  stream.subscribe<"note">({ ...query, orderBy: [...query.orderBy] }, (now) => render((rows = now)));

  let head = stream.head, pending = stream.status.pending;
  const tell = () => {
    const status = stream.status;
    one(".badge").dataset.state = status.state;
    one(".state").textContent = `${words[status.state]}, ${status.pending} pending, head ${stream.head}`;
    if (stream.head > head) step(one(".steps"), pending, stream.head - head, status.pending);
    head = stream.head;
    pending = status.pending;
    render(rows);
  };
  stream.on("status", tell);
  tell();
  const add = one<HTMLInputElement>(".add");
  add.setAttribute("aria-label", `Add a note on phone ${letter}`);
  add.addEventListener("keydown", (e) => {
    const text = add.value.trim();
    if (e.key !== "Enter" || e.isComposing || text === "") return;
    add.value = "";
    said(stream.create("note", { text, at: Date.now() }));
  });
}

function network(letter: string, input: HTMLInputElement, db: Database): void {
  input.addEventListener("change", () => {
    if (input.checked) {
      off.get(letter)?.abort(new TypeError(`phone ${letter} went offline`));
      off.set(letter, null);
    } else {
      off.set(letter, new AbortController());
    }
    db.sync().catch(() => {}); // the badge tells what came of it
  });
}

function item(stream: Stream<Notes>, id: string, letter: string): HTMLElement {
  const li = document.createElement("li");
  li.dataset.id = id;
  const input = document.createElement("input");
  input.setAttribute("aria-label", `Note on phone ${letter}`);
  input.addEventListener("change", () => {
    const text = input.value.trim();
    if (stream.get<"note">(id)) said(text === "" ? stream.remove(id) : stream.update(id, { text }));
  });
  const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  remove.setAttribute("aria-label", "Remove the note");
  remove.addEventListener("click", () => said(stream.remove(id)));
  li.append(input, remove);
  return li;
}

/** One turn, in words. */
function step(list: HTMLElement, before: number, entries: number, after: number): void {
  const parts = [`${entries} ${entries === 1 ? "entry" : "entries"} of the log applied`];
  if (before > 0) parts.unshift(`${before} pending taken back`);
  if (after > 0) parts.push(`${after} applied again`);
  list.prepend(Object.assign(document.createElement("li"), { textContent: parts.join(" → ") }));
  while (list.children.length > 6) list.lastElementChild!.remove();
}

// ---- the log, as the server tells it

function opsOf(action: Action): string {
  return action.ops
    .map((op) => {
      if (op.op === "create") return `create “${String(op.fields.text)}”`;
      if (op.op === "update") return `set “${String(op.set?.text)}”`;
      return op.op;
    })
    .join(", ");
}

function log(): void {
  const list = document.querySelector(".log ol")!;
  const events = new EventSource(`/v1/log?stream=${encodeURIComponent(name)}`);
  events.addEventListener("entry", (e) => {
    const entry = JSON.parse((e as MessageEvent<string>).data) as { index: number; action: Action };
    const li = document.createElement("li");
    const index = Object.assign(document.createElement("b"), { textContent: `${entry.index}` });
    const text = document.createElement("span");
    text.textContent = `${clients.get(entry.action.client) ?? "elsewhere"}: ${opsOf(entry.action)}`;
    li.append(index, text);
    list.prepend(li);
    while (list.children.length > 200) list.lastElementChild!.remove();
    document.getElementById("none")!.hidden = true;
  });
}

Promise.all([phone("A"), phone("B")]).then(() => {
  log();
  document.documentElement.dataset.ready = "yes";
}, problem);
