// The demo: todos over one stream. It uses the built package and nothing else of this repository.
import { open, type Row, type Stream, type StreamStatus } from "strandline";

type Todos = { todo: { title: string; done: boolean; at: number } };
type Todo = Row<Todos, "todo">;

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const name = new URLSearchParams(location.search).get("stream") || "todos";

// ---- the switch: this tab's requests fail, as they do without a network

const realFetch = globalThis.fetch;
const offline = $<HTMLInputElement>("offline");
globalThis.fetch = (input, init) =>
  offline.checked ? Promise.reject(new TypeError("this tab is switched offline")) : realFetch(input, init);
offline.addEventListener("change", () => dispatchEvent(new Event(offline.checked ? "offline" : "online")));

// ---- the list

const list = $<HTMLUListElement>("todos");
const filters = {
  all: () => true,
  active: (t: Todo) => !t.done,
  completed: (t: Todo) => t.done,
};

function filter(): keyof typeof filters {
  const hash = location.hash.replace(/^#\//, "");
  return hash === "active" || hash === "completed" ? hash : "all";
}

function show(stream: Stream<Todos>, todos: readonly Todo[]): void {
  const wanted = todos.filter(filters[filter()]);
  const items = new Map([...list.children].map((li) => [(li as HTMLElement).dataset.id!, li as HTMLElement]));
  wanted.forEach((todo, i) => {
    const li = items.get(todo.id) ?? item(stream, todo.id);
    items.delete(todo.id);
    update(stream, li, todo);
    if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null);
  });
  for (const li of items.values()) li.remove();
  const left = todos.filter((t) => !t.done).length;
  $("left").textContent = `${left} ${left === 1 ? "item" : "items"} left`;
  $("empty").hidden = todos.length > 0;
  $("footer").hidden = todos.length === 0;
  $("clear").hidden = left === todos.length;
  for (const a of document.querySelectorAll<HTMLAnchorElement>("[data-filter]")) {
    if (a.dataset.filter === filter()) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
}

function item(stream: Stream<Todos>, id: string): HTMLElement {
  const li = document.createElement("li");
  li.dataset.id = id;
  const check = document.createElement("input");
  check.type = "checkbox";
  check.addEventListener("change", () => said(stream.update(id, { done: check.checked })));
  const text = document.createElement("button");
  text.type = "button";
  text.className = "text";
  text.title = "Click to edit";
  text.addEventListener("click", () => edit(stream, id, text));
  const mark = document.createElement("span");
  mark.className = "mark";
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "remove";
  remove.textContent = "×";
  remove.addEventListener("click", () => said(stream.remove(id)));
  li.append(check, text, mark, remove);
  return li;
}

function update(stream: Stream<Todos>, li: HTMLElement, todo: Todo): void {
  const [check, text, mark, remove] = li.children as unknown as [HTMLInputElement, HTMLElement, HTMLElement, HTMLElement];
  check.checked = todo.done;
  check.setAttribute("aria-label", `Done: ${todo.title}`);
  if (text instanceof HTMLButtonElement) text.textContent = todo.title;
  remove.setAttribute("aria-label", `Remove ${todo.title}`);
  mark.textContent = stream.isPending(todo.id) ? "not sent yet" : "";
  li.classList.toggle("done", todo.done);
}

function edit(stream: Stream<Todos>, id: string, text: HTMLElement): void {
  const input = document.createElement("input");
  input.className = "text";
  input.value = text.textContent ?? "";
  input.setAttribute("aria-label", "Edit the todo");
  let ended = false;
  const end = (keep: boolean) => {
    if (ended) return;
    ended = true;
    const title = input.value.trim();
    input.replaceWith(text);
    if (keep && title === "") said(stream.remove(id));
    else if (keep && title !== text.textContent) said(stream.update(id, { title }));
    const todo = stream.get<"todo">(id);
    if (todo) text.textContent = todo.title;
  };
  input.addEventListener("blur", () => end(true));
  input.addEventListener("keydown", (e) => {
    if (e.key === "Enter") end(true);
    if (e.key === "Escape") end(false);
    if (e.key === "Enter" || e.key === "Escape") text.focus();
  });
  text.replaceWith(input);
  input.select();
  input.focus();
}

// ---- what people are told

const words: { [state in StreamStatus["state"]]: string } = {
  starting: "Starting",
  syncing: "Syncing",
  live: "Live",
  offline: "Offline",
  waiting: "No answer",
  held: "Not signed in",
  stopped: "Stopped",
};

function tell(status: StreamStatus): void {
  const badge = $("badge");
  badge.dataset.state = status.state;
  badge.title = status.error?.message ?? "";
  $("badge-state").textContent = words[status.state];
  const parts = [status.pending === 0 ? "All changes are sent." : `${status.pending} ${status.pending === 1 ? "change is" : "changes are"} kept here until the server has them.`];
  if (status.next && status.state !== "live") {
    const seconds = Math.max(0, Math.ceil((status.next.at - Date.now()) / 1000));
    parts.push(seconds > 0 ? `Next try in ${seconds} s.` : "Trying now.");
  }
  $("badge-next").textContent = parts.join(" ");
  if (status.state === "stopped") problem(status.error ?? new Error("the stream has stopped"));
}

function problem(e: unknown): void {
  const p = $("problem");
  p.hidden = false;
  p.textContent = e instanceof Error ? e.message : String(e);
}

/** Shows what became of a write that failed. */
function said(write: Promise<unknown>): void {
  write.then(() => ($("problem").hidden = true), problem);
}

// ---- start

async function main(): Promise<void> {
  $("stream").textContent = name;

  const db = await open({ name: "todos-demo", server: location.origin, timers: { idle: 1000, retry: 5000 } });
  const stream = await db.stream<Todos>(name);
  let todos: readonly Todo[] = [];
  const render = () => show(stream, todos);
  stream.subscribe({ type: "todo", orderBy: ["at", "id"] }, (rows) => {
    todos = rows;
    render();
  });
  const told = () => {
    tell(stream.status);
    render(); // what is pending may have changed without any row changing
  };
  stream.on("status", told);
  told();
  setInterval(() => tell(stream.status), 1000);
  addEventListener("hashchange", render);
  $<HTMLFormElement>("new").addEventListener("submit", (e) => {
    e.preventDefault();
    const input = $<HTMLInputElement>("title");
    const title = input.value.trim();
    if (title === "") return;
    input.value = "";
    said(stream.create("todo", { title, done: false, at: Date.now() }));
  });
  $("clear").addEventListener("click", () => {
    for (const t of todos) if (t.done) said(stream.remove(t.id));
  });
  document.documentElement.dataset.ready = "yes";
}

async function register(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
  const offer = () => {
    const waiting = registration.waiting;
    if (!waiting || !navigator.serviceWorker.controller) return;
    const note = $("update");
    note.hidden = false;
    note.querySelector("button")!.onclick = () => waiting.postMessage("skip-waiting");
  };
  offer();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  let controlled = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (controlled) location.reload();
    controlled = true;
  });
}

main().catch(problem);
register().catch((e: unknown) => console.warn("no service worker:", e));
