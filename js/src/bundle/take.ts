// Takes what is unsent out of a bundle.
import type { Header, Line, Of } from "./bundle.js";

export interface Taken {
  /** Ids of actions and entries that are pending here now, and are sent. */
  readonly imported: readonly string[];
  /** Ids of those that the server has, or this browser. */
  readonly known: readonly string[];
  /** Ids of actions that are not taken over: the log may have them, or they stand by what their maker has locked or seen. */
  readonly left: readonly string[];
  /** What the other profile's server had refused, and nobody had dealt with: it is not taken over. */
  readonly rejected: readonly object[];
}

/** Nothing is taken of a bundle that is cut, redacted, or of another database or user. */
export async function take(of: Of, bundle: Blob | string): Promise<Taken> {
  const text = typeof bundle === "string" ? bundle : await bundle.text();
  const lines = read(of, text);
  const imported: string[] = [], known: string[] = [], left: string[] = [], rejected: object[] = [];
  if (of.online && lines.length > 0) await of.sync(); // what has it already?
  for (const { data, type, entry, value, bytes } of lines) { // before the actions that name them
    if (data === undefined || entry === undefined) continue;
    const stream = await of.openData(data, type ? { contentType: type } : {});
    const there = of.online && (await stream.get(entry).catch(() => undefined));
    const taken = !there && (await stream.adopt(entry, bytes === undefined ? value : Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))));
    (taken ? imported : known).push(entry);
  }
  for (const [name, actions] of pendingOf(lines)) {
    const stream = await of.open(name);
    if (of.online) await of.sync();
    const writes = actions.map((action) => stream.adopt(JSON.stringify(action)).then(() => imported, (e: { code?: string }) => {
      const list = e.code === "exists" ? known : e.code === "unknown" ? left : null;
      if (!list) throw e;
      return list;
    }));
    const lists = await Promise.all(writes);
    actions.forEach(({ id }, i) => lists[i]!.push(id));
  }
  for (const line of lines) if (line.rejected) rejected.push(line.rejected);
  return { imported, known, left, rejected };
}

/** The lines that are of use. */
function read(of: Of, text: string): Line[] {
  const all = text.split("\n"), n = all.length - 1; // behind the last line break is nothing
  const parsed = <T>(line: string, at: number): T => {
    try {
      return JSON.parse(line) as T;
    } catch {
      throw of.invalid(`/${at}`, "is no line of a bundle");
    }
  };
  const header = parsed<Header | null>(all[0]!, 1);
  if (typeof header?.bundle !== "number") throw of.invalid("/1", "is no bundle");
  if (header.bundle !== 1) throw of.invalid("/1/bundle", `has format ${header.bundle}; this version reads format 1`);
  if (all[n] !== "" || n < 2 || parsed<Line>(all[n - 1]!, n).lines !== n) throw of.invalid(`/${n}`, "is not the last line: the bundle is cut");
  if (header.redacted) throw of.invalid("/1/redacted", "nothing of a redacted bundle can be taken over");
  if (header.user !== of.user && (header.user || of.user)) throw of.invalid("/1/user", "is another user's");
  if (header.database && header.database !== of.name) throw of.invalid("/1/database", "is of another database");
  const lines: Line[] = [];
  for (let i = 1; i < n - 1; i++) if (/^\{"(stream|pending|rejected|data)":/.test(all[i]!)) lines.push(parsed<Line>(all[i]!, i + 1));
  return lines;
}

function pendingOf(lines: readonly Line[]): Map<string, { readonly id: string }[]> {
  const out = new Map<string, { readonly id: string }[]>();
  let name = "";
  for (const line of lines) {
    if (line.stream !== undefined) name = line.stream;
    if (!line.pending) continue;
    if (!out.has(name)) out.set(name, []);
    out.get(name)!.push(line.pending);
  }
  return out;
}
