// A bundle in the inspector: it is saved as a file, and one that somebody has sent is shown.
import { bytes, button, cells, table, text } from "./tables.js";
import type { Header, Line } from "../bundle/bundle.js";

type Shown = Line & {
  stand?: { head: number; objects: number; hash: string };
  page?: string; manifest?: string; spare?: string; record?: number;
  pending?: { id: string; at?: string; ops: unknown };
  rejected?: { action: { id: string; ops: unknown }; code: string; message: string };
  conflict?: { object: string; key: string; kind: string; mine?: unknown; theirs?: unknown };
  turn?: { at: number; because: string; code: string; status: number; tab?: string };
};

const newest = 200; // of each list
const titles: { [kind: string]: string[] } = {
  "Pending": ["of", "action", "made", "ops"], "Refused": ["of", "action", "why", "ops"],
  "Conflicts": ["of", "object", "what", "mine / theirs"], "Wake-ups": ["at", "why", "status", "error, in"],
};

export function save(bundle: Blob, name: string): void {
  const url = URL.createObjectURL(bundle);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A button that asks for a file. */
export function chooser(words: string, chosen: (file: File) => void): HTMLElement {
  const input = Object.assign(document.createElement("input"), { type: "file", hidden: true, ariaLabel: words });
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) chosen(file);
    input.value = "";
  });
  const out = document.createElement("span");
  out.append(button(words, () => input.click()), input);
  return out;
}

/** What it tells, to people. */
export function bundleOf(bundle: string): Node {
  const out = document.createElement("section"), lines: Shown[] = [];
  const close = button("Close the bundle", () => out.remove());
  try {
    for (const line of bundle.split("\n")) if (line !== "") lines.push(JSON.parse(line) as Shown);
  } catch {
    lines.length = 0;
  }
  const header = lines[0] as unknown as Header | undefined;
  if (typeof header?.bundle !== "number") {
    out.append(text("This is no bundle."), close);
    return out;
  }
  const cut = lines.at(-1)?.lines !== lines.length;
  out.append(
    Object.assign(document.createElement("h2"), { textContent: `A bundle of ${header.database}` }),
    text([header.user ? `of ${header.user}` : "", header.redacted ? "without texts" : "", `made ${new Date(header.at).toLocaleString()}`, header.agent, cut ? "it is cut: some of it is missing" : ""].filter(Boolean).join(" · ")),
    close,
  );
  let stream = "";
  const streams = new Map<string, { records: number; pages: number; size: number; stand: Shown["stand"] | undefined }>(), lists: { [kind: string]: HTMLTableRowElement[] } = {};
  const list = (kind: string, ...values: (string | number)[]) => void (lists[kind] ??= []).push(cells(...values));
  const json = (value: unknown) => JSON.stringify(value) ?? "";
  for (const line of lines) {
    if (line.stream !== undefined) streams.set((stream = line.stream), { records: 0, pages: 0, size: 0, stand: line.stand });
    const of = streams.get(stream);
    if (of && (line.record !== undefined || line.page !== undefined)) {
      of[line.record !== undefined ? "records" : "pages"]++;
      of.size += Math.floor(((line.bytes?.length ?? 0) * 3) / 4);
    }
    if (line.pending) list("Pending", stream, line.pending.id.slice(-12), line.pending.at ?? "", json(line.pending.ops));
    if (line.data !== undefined && line.entry !== undefined) list("Pending", `data: ${line.data}`, line.entry.slice(-12), "", json(line.value));
    if (line.rejected) list("Refused", stream, line.rejected.action.id.slice(-12), `${line.rejected.code}: ${line.rejected.message}`, json(line.rejected.action.ops));
    if (line.conflict) list("Conflicts", stream, line.conflict.object.slice(-12), `${line.conflict.key} ${line.conflict.kind}`, `${json(line.conflict.mine)} / ${json(line.conflict.theirs)}`);
    if (line.turn) list("Wake-ups", new Date(line.turn.at).toLocaleString(), line.turn.because, line.turn.status || "", `${line.turn.code} ${line.turn.tab ?? ""}`);
  }
  const rows = [...streams].map(([name, s]) => cells(name, s.stand?.head ?? "", s.stand?.objects ?? "", s.records, s.pages, bytes(s.size), s.stand?.hash ?? ""));
  out.append(table(["stream", "head", "objects", "records", "pages", "size", "hash"], rows));
  for (const [kind, all] of Object.entries(lists)) {
    out.append(Object.assign(document.createElement("h2"), { textContent: kind }), table(titles[kind]!, all.slice(-newest).reverse(), all.length));
  }
  return out;
}
