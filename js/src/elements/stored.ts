// What IndexedDB holds of a stream, for the inspector.
import { stored } from "../bundle/stored.js";
import { bytes, cells, table, text } from "./tables.js";

const newest = 50;

/** A record and a page never change: their keys tell what is there. */
export async function keysOf(path: string, stream: string): Promise<string> {
  const keys = await stored(path, stream, (read) => Promise.all(["records", "meta"].map((store) => read(store, (s, range) => s.getAllKeys(range)))));
  return JSON.stringify([stream, keys]);
}

export async function local(path: string, stream: string): Promise<Node> {
  const node = await stored(path, stream, async (read) => {
    const [keys, values, names, pages] = await Promise.all([
      read("records", (s, range) => s.getAllKeys(range)), read("records", (s, range) => s.getAll(range)),
      read("meta", (s, range) => s.getAllKeys(range)), read("meta", (s, range) => s.getAll(range)),
    ]);
    const size = (all: Uint8Array[]) => all.reduce((sum, b) => sum + (b.byteLength ?? 0), 0);
    const rows = keys.map((key, i) => cells((key as [string, number])[1], bytes((values[i] as Uint8Array).byteLength))).reverse();
    const out = document.createDocumentFragment();
    out.append(
      text(`${keys.length} records, ${bytes(size(values))}; checkpoint of ${Math.max(0, names.length - 1)} pages, ${bytes(size(pages))}.`),
      table(["record", "size"], rows.slice(0, newest), rows.length),
    );
    return out;
  });
  return node ?? text("Nothing of it is stored in this browser.");
}
