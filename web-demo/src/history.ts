// What did not go as meant, and the way back: undo and redo, what the server refused, and the conflicts.
import { type Action, type Conflict, type Json, type Stream, SyncError } from "strandline";

import { kept } from "./connection.js";

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

function say(text: string): void {
  $("said").textContent = text;
}

/** Buttons and keys that take back the last change made here, and put it back. A field that is being typed in keeps its own. */
export function undoAndRedo(stream: Stream): void {
  const go = (what: "undo" | "redo") =>
    kept(stream[what]()).then(
      ({ skipped }) => say((what === "undo" ? "Undone." : "Done again.") + (skipped.length > 0 ? ` What somebody else has written since stays: ${skipped.length}.` : "")),
      (e: unknown) => say(e instanceof SyncError && e.code === "nothing-to-undo" ? `There is nothing to ${what}.` : String(e)),
    );
  $("undo").addEventListener("click", () => void go("undo"));
  $("redo").addEventListener("click", () => void go("redo"));
  let typed: EventTarget | null = null; // a field that has something of its own to undo
  document.addEventListener("input", (e) => (typed = e.target));
  document.addEventListener("keydown", (e) => {
    if (e.key === "Enter" || e.key === "Escape") typed = null;
    const field = e.target as HTMLElement;
    const typing = field.classList.contains("edit") || (field instanceof HTMLInputElement && field.type === "text" && (field.value !== "" || typed === field));
    if (!(e.ctrlKey || e.metaKey) || e.altKey || typing) return;
    const key = e.key.toLowerCase();
    const what = key === "y" || (key === "z" && e.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!what) return;
    e.preventDefault();
    void go(what);
  });
}

/** Lists, each in a tray that is there while it has something. */
export function trays(stream: Stream): void {
  const tell = () => {
    fill("refused", "Refused by the server", (stream.rejected() ?? []).map((r) => refused(stream, r.action, r.message)));
    fill("conflicts", "Conflicts", (stream.conflicts() ?? []).slice(0, 20).map((c) => conflict(stream, c)));
  };
  let shown = "";
  stream.on("status", (s) => {
    const now = `${s.rejected} ${s.head}`;
    if (now !== shown) tell();
    shown = now;
  });
  stream.on("conflict", tell);
  stream.ready.then(tell, () => {}); // rows are there before
  stream.subscribe({}, tell); // what was restored stands again
  tell();
}

function fill(id: string, title: string, items: HTMLElement[]): void {
  const tray = $<HTMLDetailsElement>(id);
  if (tray.querySelector("ul")!.textContent === items.map((li) => li.textContent).join("")) return; // what has the focus keeps it
  tray.hidden = items.length === 0;
  tray.querySelector("summary")!.textContent = `${title} (${items.length})`;
  tray.querySelector("ul")!.replaceChildren(...items);
}

function item(text: string, ...buttons: [string, () => Promise<unknown>][]): HTMLElement {
  const li = document.createElement("li");
  const p = Object.assign(document.createElement("p"), { textContent: text });
  li.append(p);
  for (const [name, act] of buttons) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    button.addEventListener("click", () => kept(act()).then(() => say(""), (e: unknown) => say(e instanceof Error ? e.message : String(e))));
    li.append(button);
  }
  return li;
}

function refused(stream: Stream, action: Action, message: string): HTMLElement {
  const op = action.ops[0]!;
  const title = op.op === "create" ? op.fields.title : op.op === "update" ? op.set?.title : undefined;
  const what = typeof title === "string" ? quoted(title) : `a ${op.op}`;
  return item(
    `${what}: ${message}`,
    ["Shorten and try again", () => stream.retry(action.id, typeof title === "string" ? { title: title.slice(0, 100) } : undefined)],
    ["Discard", () => stream.discard(action.id)],
  );
}

function conflict(stream: Stream, c: Conflict): HTMLElement {
  if (c.kind === "gap") return item(`Entries ${String(c.base)} to ${c.index} were not read one by one.`);
  const row = stream.get(c.object);
  const of = row && c.key !== "title" ? ` of ${quoted(String(row.title))}` : "";
  const mine = value(c.key, c.mine), theirs = value(c.key, c.theirs);
  const text = {
    overwritten: `${c.key || "A todo"}${of}: ${theirs} took the place of your ${mine}.`,
    overwrote: `${c.key || "A todo"}${of}: your ${mine} took the place of ${theirs}.`,
    discarded: `${c.key || "A todo"}${of}: your ${mine} does not stand (${c.reason}).`,
  }[c.kind];
  const lost = c.kind === "overwrote" ? theirs : mine;
  const stands = row && (c.kind === "overwrote" ? c.theirs : c.mine) === row[c.key];
  return row && c.key !== "" && !stands ? item(text, [`Restore ${lost}`, () => stream.restore(c)]) : item(text);
}

const quoted = (text: string) => `“${text.length > 40 ? text.slice(0, 40) + "…" : text}”`;

function value(key: string, v: Json | undefined): string {
  if (v === undefined) return "nothing";
  if (key === "completed") return v === true ? "“done”" : "“not done”";
  return quoted(typeof v === "string" ? v : JSON.stringify(v));
}
