// The log as it is kept here: pages as they came, in blocks, the oldest of which go.
import type { Frame } from "./frames.js";
import { rows, type Block, type Queued, type Store, type Stored, type Tx } from "./store.js";
import type { Page } from "./transport.js";

const mergeBytes = 64 << 10; // blocks under this grow

/** Keeps a page, and forgets what of the queue it has brought. */
export function keepPage(store: Store, s: Stored, page: Page, frames: readonly Frame[], large: Map<string, Blob>): Promise<void> {
  const { keep } = s;
  const ids = new Set(frames.map((f) => f.id));
  return store.run("readwrite", ["streams", "queue", "blocks", "large"], async (tx) => {
    const now = await tx.get<Stored>("streams", s.name);
    if (!now || now.offset !== s.offset) return; // another context has it
    // What the log has brought leaves the queue; at the log's end that is all that the server had when it was asked.
    await tx.walk<Queued>("queue", rows(s.name, -1, now.acked), (q) => {
      if (ids.has(q.id) || (page.upToDate && q.n <= s.acked)) tx.delete("queue", [s.name, q.n]);
      return true;
    });
    if (frames.length > 0) {
      const size = frames.reduce((sum, f) => sum + (f.body || large.has(f.offset) ? f.size : 0), 0);
      const last = await tx.get<Block>("blocks", [s.name, now.block - 1]);
      const block: Block = { stream: s.name, n: now.block, from: page.from, to: page.next, count: frames.length, size, bytes: page.bytes, large: [...large.keys()] };
      if (last && last.to === page.from && last.bytes.length + page.bytes.length <= mergeBytes) {
        const bytes = new Uint8Array(last.bytes.length + page.bytes.length);
        bytes.set(last.bytes);
        bytes.set(page.bytes, last.bytes.length);
        Object.assign(block, { n: last.n, from: last.from, count: last.count + frames.length, size: last.size + size, bytes, large: [...last.large, ...block.large] });
      }
      tx.put("blocks", block);
      for (const [offset, blob] of large) tx.put("large", blob, [s.name, offset]);
      now.block = block.n + 1;
      now.kept += frames.length;
      now.bytes += size;
    }
    Object.assign(now, { from: now.from || (s.offset === "" && keep === "all" ? "-1" : page.from), offset: page.next, head: page.head, type: page.type || now.type, exists: true, closed: page.closed });
    if (keep !== "all") await trim(tx, now, keep);
    tx.put("streams", now);
  });
}

/** Forgets the oldest blocks beyond what is to be kept. */
async function trim(tx: Tx, s: Stored, keep: { entries?: number; bytes?: number }): Promise<void> {
  const over: Block[] = [];
  await tx.walk<Block>("blocks", rows(s.name), (b) => {
    const many = keep.entries !== undefined && s.kept - b.count >= keep.entries;
    if (b.n === s.block - 1 || !(many || (keep.bytes !== undefined && s.bytes > keep.bytes))) return false;
    over.push(b);
    s.kept -= b.count;
    s.bytes -= b.size;
    s.from = b.to;
    return true;
  });
  for (const b of over) {
    tx.delete("blocks", [s.name, b.n]);
    for (const offset of b.large) tx.delete("large", [s.name, offset]);
  }
}
