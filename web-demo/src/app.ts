// TodoMVC over one stream, after its public specification. It uses the built package and nothing else of this repository.
import { open, type Row, type Stream } from "strandline";
import { badge as appBadge, guardUnload, type StrandlineStatus } from "strandline/status";

import { badge, offlineSwitch, problem, said } from "./connection.js";
import { trays, undoAndRedo } from "./history.js";
import { register } from "./update.js";

type Todos = { todo: { title: string; completed: boolean; at: number } };
type Todo = Row<Todos, "todo">;

const one = <T extends HTMLElement>(selector: string) => document.querySelector(selector) as T;
const asked = new URLSearchParams(location.search);
const free = asked.has("conflict-free"); // a mode of a log from its beginning: such a stream is another one
const name = (asked.get("stream") || "todos") + (free ? "~free" : "");
const list = one<HTMLUListElement>(".todo-list");
const toggleAll = one<HTMLInputElement>(".toggle-all");

const filters: { [route: string]: (t: Todo) => boolean } = {
  "": () => true,
  active: (t) => !t.completed,
  completed: (t) => t.completed,
};
const route = () => {
  const wanted = location.hash.replace(/^#!?\//, "");
  return wanted in filters ? wanted : "";
};

function show(stream: Stream<Todos>, todos: readonly Todo[]): void {
  const items = new Map([...list.children].map((li) => [(li as HTMLElement).dataset.id!, li as HTMLElement]));
  todos.filter(filters[route()]!).forEach((todo, i) => {
    const li = items.get(todo.id) ?? item(stream, todo.id);
    items.delete(todo.id);
    update(stream, li, todo);
    if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null);
  });
  for (const li of items.values()) li.remove();
  const left = todos.filter((t) => !t.completed).length;
  const count = document.createElement("strong");
  count.textContent = String(left);
  one(".todo-count").replaceChildren(count, left === 1 ? " item left" : " items left");
  one("#main").hidden = one("#footer").hidden = todos.length === 0;
  one(".clear-completed").hidden = left === todos.length;
  toggleAll.checked = left === 0 && todos.length > 0;
  toggleAll.disabled = one<HTMLButtonElement>(".clear-completed").disabled = todos.some((t) => stream.writable(t.id) !== "yes");
  for (const a of document.querySelectorAll<HTMLAnchorElement>(".filters a")) {
    const selected = a.hash.slice(2) === route();
    a.classList.toggle("selected", selected);
    if (selected) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
}

function item(stream: Stream<Todos>, id: string): HTMLElement {
  const li = document.createElement("li");
  li.dataset.id = id;
  const view = document.createElement("div");
  view.className = "view";
  const toggle = Object.assign(document.createElement("input"), { className: "toggle", type: "checkbox" });
  toggle.addEventListener("change", () => said(stream.update(id, { completed: toggle.checked })));
  const label = Object.assign(document.createElement("label"), { tabIndex: 0 });
  label.addEventListener("dblclick", () => edit(stream, li, label));
  label.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" && e.key !== "F2") return;
    e.preventDefault();
    edit(stream, li, label);
  });
  const mark = Object.assign(document.createElement("span"), { className: "mark" });
  const destroy = Object.assign(document.createElement("button"), { className: "destroy", type: "button" });
  destroy.addEventListener("click", () => {
    const near = (li.nextElementSibling ?? li.previousElementSibling)?.querySelector<HTMLElement>("label") ?? one(".new-todo");
    said(stream.remove(id));
    near.focus();
  });
  view.append(toggle, label, mark, destroy);
  li.append(view);
  return li;
}

function update(stream: Stream<Todos>, li: HTMLElement, todo: Todo): void {
  const [toggle, label, mark, destroy] = li.firstElementChild!.children as unknown as [HTMLInputElement, HTMLElement, HTMLElement, HTMLButtonElement];
  toggle.checked = todo.completed;
  toggle.setAttribute("aria-label", `Completed: ${todo.title}`);
  if (label.textContent !== todo.title) label.textContent = todo.title;
  destroy.setAttribute("aria-label", `Remove ${todo.title}`);
  const pending = stream.isPending(todo.id);
  const may = stream.writable(todo.id);
  toggle.disabled = destroy.disabled = may !== "yes";
  mark.textContent = may === "locked" ? "somebody is at it" : may === "offline" ? "read-only offline" : pending ? "not sent yet" : "";
  li.classList.toggle("pending", pending);
  li.classList.toggle("completed", todo.completed);
}

function edit(stream: Stream<Todos>, li: HTMLElement, label: HTMLElement): void {
  if (li.classList.contains("editing") || stream.writable(li.dataset.id!) !== "yes") return;
  const input = Object.assign(document.createElement("input"), { className: "edit", value: label.textContent ?? "" });
  input.setAttribute("aria-label", "Edit the todo");
  const end = (keep: boolean, focus: boolean) => {
    if (!li.classList.contains("editing")) return;
    li.classList.remove("editing");
    input.remove();
    if (focus) label.focus();
    const id = li.dataset.id!, todo = stream.get<"todo">(id), title = input.value.trim();
    if (!keep || !todo || title === todo.title) return; // somebody may have removed it meanwhile
    said(title === "" ? stream.remove(id) : stream.update(id, { title }));
  };
  input.addEventListener("blur", () => end(true, false));
  input.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "Enter") end(true, true);
    if (e.key === "Escape") end(false, true);
  });
  li.append(input);
  li.classList.add("editing");
  input.focus();
  input.setSelectionRange(input.value.length, input.value.length);
}

const early: string[] = []; // what was typed before the stream was there
let add = (title: string): void => void early.push(title);

async function main(): Promise<void> {
  one<HTMLInputElement>(".new-todo").addEventListener("keydown", (e) => {
    const input = e.target as HTMLInputElement, title = input.value.trim();
    if (e.key !== "Enter" || e.isComposing || title === "") return;
    input.value = "";
    add(title);
  });
  offlineSwitch(one("#offline"));
  one("#stream").textContent = name;
  one(".new-todo").focus();
  const db = await open({ name: "todos-demo", server: location.origin });
  one<StrandlineStatus>("strandline-status").db = db;
  guardUnload(db);
  appBadge(db);
  const stream = await db.stream<Todos>(name, { conflictFree: free });
  const mode = one<HTMLInputElement>("#free");
  mode.checked = free;
  mode.addEventListener("change", () => {
    const to = new URL(location.href);
    if (mode.checked) to.searchParams.set("conflict-free", "");
    else to.searchParams.delete("conflict-free");
    location.assign(to);
  });
  let todos: readonly Todo[] = [];
  const render = () => show(stream, todos);
  stream.subscribe<"todo">({ type: "todo", orderBy: ["at", "id"] }, (rows) => {
    todos = rows;
    render();
  });
  stream.on("status", render); // what is pending may have changed without any row changing
  badge(stream);
  undoAndRedo(stream as unknown as Stream);
  trays(stream as unknown as Stream);
  addEventListener("hashchange", render);
  add = (title) => said(stream.create("todo", { title, completed: false, at: Date.now() }));
  for (const title of early.splice(0)) add(title);
  // An action each: of a transaction nothing would stand where somebody else has removed one of them.
  toggleAll.addEventListener("change", () => {
    const completed = toggleAll.checked;
    for (const t of todos) if (t.completed !== completed) said(stream.update(t.id, { completed }));
  });
  one(".clear-completed").addEventListener("click", () => {
    for (const t of todos) if (t.completed) said(stream.remove(t.id));
  });
  document.documentElement.dataset.ready = "yes";
}

main().catch(problem);
const typing = () => one<HTMLInputElement>(".new-todo").value !== "" || one(".editing") !== null;
register(typing).catch((e: unknown) => console.warn("no service worker:", e));
