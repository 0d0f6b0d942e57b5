// The body and headers of a request of the queue.
import { entriesType, pack } from "./frames.js";
import { partBytes, type Producer } from "./producer.js";
import type { Queued, Stored } from "./store.js";

export const blobOf = (value: Blob | Uint8Array): Blob => (value instanceof Blob ? value : new Blob([value as BlobPart]));

/** A copy of what a record holds, for another one: WebKit's blobs cannot be read any more when the record that they came from is gone. One whose file is gone
    stays what it is. */
export async function copied(value: Blob | Uint8Array): Promise<Blob | Uint8Array> {
  return value instanceof Blob ? value.arrayBuffer().then((bytes) => new Blob([bytes]), () => value) : value;
}

/** The request of p: a part of a large entry, in so much room, or entries side by side. */
export function request(s: Stored, p: Producer, batch: readonly Queued[], room: number): { headers: Record<string, string>; body: Blob } {
  const [one] = batch;
  const of: Record<string, string> = s.offset ? { "Strandline-After": s.offset } : {};
  const part = Math.min(partBytes, room);
  if (one && batch.length === 1 && !one.json && (p.sent > 0 || one.size > part)) {
    const end = Math.min(one.size, p.sent + part);
    const headers = { ...of, "Content-Type": s.type, "Upload-Offset": String(p.sent), "Upload-Complete": end === one.size ? "?1" : "?0", "Strandline-Entry": one.id };
    return { headers, body: blobOf(one.value).slice(p.sent, end) };
  }
  return { headers: { ...of, "Content-Type": entriesType, "Stream-Content-Type": s.type }, body: pack(batch.map((q) => ({ id: q.id, size: q.size, value: q.value as BlobPart }))) };
}
