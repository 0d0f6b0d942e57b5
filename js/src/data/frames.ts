// The two forms in which entries cross the network: to the server a body of several entries, from it the view of entries.
// docs/PROTOCOL.md has them byte by byte.

export const entriesType = "application/vnd.strandline.entries";

/** An entry of the view. */
export interface Frame {
  id: string; // "" where its writer chose none
  size: number;
  offset: string; // behind it
  body: Uint8Array | null; // null: it is too large to be sent along
  end: number; // where it ends in the page
}

/** The body of a request with these entries. */
export function pack(entries: readonly { id: string; size: number; value: BlobPart }[]): Blob {
  const parts: BlobPart[] = [];
  for (const e of entries) {
    const head = new Uint8Array(20);
    head.set(idBytes(e.id));
    new DataView(head.buffer).setUint32(16, e.size);
    parts.push(head, e.value);
  }
  return new Blob(parts);
}

function idBytes(id: string): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0, hex = id.replaceAll("-", ""); i < 16; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Whether a page may have an entry of that id: its bytes are somewhere in it. Costs a hundredth of reading it. */
export function mayHave(page: Uint8Array, id: string): boolean {
  const bytes = idBytes(id);
  for (let at = page.indexOf(bytes[0]!); at >= 0; at = page.indexOf(bytes[0]!, at + 1)) {
    let n = 1;
    while (n < 16 && page[at + n] === bytes[n]) n++;
    if (n === 16) return true;
  }
  return false;
}

const ascii = (b: Uint8Array) => String.fromCharCode(...b);

/** Reads a page of the view. Anything else throws RangeError. */
export function unpack(page: Uint8Array): Frame[] {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at < page.length; ) {
    let id = "";
    for (let i = 0; i < 16; i++) id += view.getUint8(at + i).toString(16).padStart(2, "0");
    id = id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const size = Number(view.getBigUint64(at + 16));
    const inline = view.getUint8(at + 24) === 1;
    const n = view.getUint8(at + 25);
    at += 26;
    const end = at + n + (inline ? size : 0);
    if (end > page.length) throw new RangeError("cut off");
    const offset = ascii(page.subarray(at, at + n));
    frames.push({ id: /[1-9a-f]/.test(id) ? id : "", size, offset, body: inline ? page.subarray(at + n, end) : null, end });
    at = end;
  }
  return frames;
}
