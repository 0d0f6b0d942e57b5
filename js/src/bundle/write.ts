// Writes a bundle.
import type { Header, Of } from "./bundle.js";
import { trail } from "./stored.js";
import type { Queued } from "../data/store.js";

const chunk = 3 << 16; // bytes that become base 64 at once

/** Writes what a database holds as it is now. */
export async function write(of: Of, redact: boolean): Promise<Blob> {
  const { status, health, turns } = await of.told();
  const header: Header & { status: object; health: object } = {
    bundle: 1, id: of.newID(), at: new Date().toISOString(), database: of.name, user: redact ? null : of.user, version: of.version,
    agent: globalThis.navigator?.userAgent ?? "", redacted: redact, status, health,
  };
  const said = (key: string, value: unknown) => (redact && (key === "message" || key === "user") ? null : value); // a server may say anything
  const parts: BlobPart[] = [`${JSON.stringify(header, said)}\n`];
  let lines = 1;
  for (const name of await of.names()) {
    for (const line of await streamLines(of, name, redact)) {
      parts.push(`${line}\n`);
      lines++;
    }
  }
  for (const { type, queued } of (await (await of.data())?.unsent()) ?? []) {
    for (const entry of queued) {
      parts.push(...(await lineOf(entry, type, redact)));
      lines++;
    }
  }
  const kept = globalThis.indexedDB ? await trail<{ at: number }>(of.shared).catch(() => []) : [], seen = new Set(kept.map(turnOf));
  for (const turn of [...kept, ...turns.filter((t) => !seen.has(turnOf(t)))].sort((a, b) => a.at - b.at)) {
    parts.push(`${JSON.stringify({ turn: redact ? { ...turn, tab: undefined } : turn })}\n`); // a page's title may be anything
    lines++;
  }
  parts.push(`${JSON.stringify({ lines: lines + 1 })}\n`);
  return new Blob(parts, { type: "application/x-ndjson" });
}

const tries = 5; // until what is stored leads to what is in memory

/** The lines about a stream of actions. One that cannot be opened is told of all the same. */
async function streamLines(of: Of, name: string, redact: boolean): Promise<string[]> {
  const stream = await of.open(name).catch(() => null);
  try {
    let { things, stand } = await of.stored(name, redact);
    for (let n = 1; stand === null && stream && n < tries; n++) {
      await of.flushed(); // what is not committed has no record
      ({ things, stand } = await of.stored(name, redact));
    }
    const first = JSON.stringify({ stream: name, client: stream?.client }), lines = [stand === null ? first : `${first.slice(0, -1)},"stand":${stand}}`];
    for (const thing of thingsIn(things)) lines.push(thing);
    if (redact || !stream) return lines;
    for (const pending of stream.pending() ?? []) if ((pending as { seq: number | null }).seq !== null) lines.push(JSON.stringify({ pending }));
    for (const rejected of stream.rejected() ?? []) lines.push(JSON.stringify({ rejected }));
    for (const conflict of stream.conflicts() ?? []) lines.push(JSON.stringify({ conflict }));
    for (const reset of stream.resets() ?? []) lines.push(JSON.stringify({ reset }));
    return lines;
  } finally {
    await stream?.close();
  }
}

/** What the program lists: wasm/bundle.go has the layout. */
function* thingsIn(list: Uint8Array): Generator<string> {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength), decoder = new TextDecoder();
  for (let at = 0; at < list.length; ) {
    const what = String.fromCharCode(list[at]!), named = view.getUint32(at + 1, true), name = decoder.decode(list.subarray(at + 5, at + 5 + named));
    at += 5 + named;
    const size = view.getUint32(at, true), from = at + 4;
    const bytes = size === 0 ? "null" : `"${base64(list.subarray(from, from + size - 1))}"`;
    at = from + Math.max(0, size - 1);
    yield what === "m" ? `{"manifest":${bytes}}` : what === "s" ? `{"spare":${bytes}}` : `{"${what === "p" ? "page" : "record"}":${what === "p" ? JSON.stringify(name) : name},"bytes":${bytes}}`;
  }
}

function base64(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += chunk) out += btoa(latin(bytes.subarray(at, at + chunk)));
  return out;
}

const turnOf = (turn: { at: number; because?: string; data?: string }) => `${turn.at} ${turn.because} ${turn.data}`;

/** An entry of a data stream that was not sent. */
async function lineOf({ stream, id, value, json, size }: Queued, type: string, redact: boolean): Promise<BlobPart[]> {
  const head = JSON.stringify({ data: stream, type, entry: id, size }).slice(0, -1);
  if (redact) return [`${head}}\n`];
  if (json) return [`${head},"value":`, value as BlobPart, "}\n"];
  const parts: BlobPart[] = [`${head},"bytes":"`], blob = value instanceof Blob ? value : new Blob([value as BlobPart]);
  for (let at = 0; at < blob.size; at += chunk) parts.push(btoa(latin(new Uint8Array(await blob.slice(at, at + chunk).arrayBuffer()))));
  return [...parts, `"}\n`];
}

function latin(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return out;
}
