// A text that several people write, offline too: a Yjs document whose updates are the entries of a data stream.
import { open, type DataStream, type Entry } from "strandline";
import * as Y from "../vendor/yjs.js";

import { badge, kept, offlineSwitch, problem } from "./connection.js";
import { register } from "./update.js";

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const name = new URLSearchParams(location.search).get("note") || "notes/one";
const area = $<HTMLTextAreaElement>("note");

/** Keeps a document and a data stream the same: each of its own updates is appended, each entry is applied. */
function bind(doc: Y.Doc, stream: DataStream): void {
  doc.on("update", (update, origin) => {
    if (origin !== stream) kept(stream.append(update)).catch(problem);
  });
  const applied = new Set<Entry["id"]>();
  stream.subscribe((entries, from) => {
    doc.transact(() => {
      for (const e of entries.slice(from)) {
        if (e.id !== null && applied.has(e.id)) continue; // it was pending before
        applied.add(e.id);
        Y.applyUpdate(doc, e.value as Uint8Array, stream);
      }
    }, stream);
    const kept = entries.filter((e) => e.pending).length;
    $("count").textContent = `${entries.length} ${entries.length === 1 ? "change" : "changes"}${kept ? `, ${kept} of them not sent yet` : ""}`;
    document.documentElement.dataset.ready = "yes";
  });
}

/** Shows a text in a text area, and writes there what is typed. The cursor stays between the letters that it was between. */
function edit(text: Y.Text): void {
  area.addEventListener("input", () => {
    const was = text.toString(), is = area.value;
    let start = 0, end = 0;
    while (start < Math.min(was.length, is.length) && was[start] === is[start]) start++;
    while (end < Math.min(was.length, is.length) - start && was[was.length - 1 - end] === is[is.length - 1 - end]) end++;
    text.doc!.transact(() => {
      text.delete(start, was.length - start - end);
      text.insert(start, is.slice(start, is.length - end));
    }, area);
  });
  text.observe((change, transaction) => {
    if (transaction.origin === area) return;
    let { selectionStart, selectionEnd } = area;
    let at = 0;
    for (const { retain, insert, delete: removed } of change.delta) {
      if (retain) at += retain;
      const by = typeof insert === "string" ? insert.length : -(removed ?? 0);
      const moved = (cursor: number) => (at < cursor || (at === cursor && by < 0) ? Math.max(at, cursor + by) : cursor);
      selectionStart = moved(selectionStart);
      selectionEnd = moved(selectionEnd);
      if (by > 0) at += by;
    }
    area.value = text.toString();
    area.setSelectionRange(selectionStart, selectionEnd);
  });
}

async function main(): Promise<void> {
  offlineSwitch($<HTMLInputElement>("offline"));
  void register(() => document.activeElement === area);
  $("stream").textContent = name;
  const db = await open({ name: "notes-demo", server: location.origin, timers: { retry: 2000 } });
  const stream = await db.data(name, { contentType: "application/octet-stream" });
  const doc = new Y.Doc();
  edit(doc.getText("note"));
  bind(doc, stream);
  area.disabled = false;
  badge(stream);
}

main().catch(problem);
