// The log as it is kept here: pages as they came, in blocks, the oldest of which go.
import type { Frame } from "./frames.js";
import { rows } from "./span.js";
import type { Block, Queued, Store, Stored, Tx } from "./store.js";
import type { Page } from "./wire.js";

const blockBytes = 64 << 10; // of a block, but for one entry that is larger: who reads an entry reads its block

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
      const last = await tx.get<Block>("blocks", [s.name, now.block - 1]);
      let block = last?.to === page.from && last.bytes.length + frames[0]!.end <= blockBytes ? last : null; // it grows
      let from = page.from, at = 0;
      for (const run of runs(frames, block ? blockBytes - block.bytes.length : blockBytes)) {
        const end = run[run.length - 1]!, to = end === frames[frames.length - 1] ? page.next : end.offset;
        const size = run.reduce((sum, f) => sum + (f.body || large.has(f.offset) ? f.size : 0), 0);
        const part = page.bytes.subarray(at, end.end), beside = run.filter((f) => large.has(f.offset)).map((f) => f.offset);
        if (block) block = { ...block, to, count: block.count + run.length, size: block.size + size, bytes: joined(block.bytes, part), large: [...block.large, ...beside] };
        else block = { stream: s.name, n: now.block++, from, to, count: run.length, size, bytes: part.slice(), large: beside };
        tx.put("blocks", block);
        now.bytes += size;
        [block, from, at] = [null, to, end.end];
      }
      for (const [offset, blob] of large) tx.put("large", blob, [s.name, offset]);
      now.kept += frames.length;
    }
    Object.assign(now, { from: now.from || (s.offset === "" && keep === "all" ? "-1" : page.from), offset: page.next, head: page.head, type: page.type || now.type, exists: true, closed: page.closed });
    if (keep !== "all") await trim(tx, now, keep);
    tx.put("streams", now);
  });
}

/** Frames in runs of so many bytes at most, each of one at least; the first one has less room. */
function runs(frames: readonly Frame[], room: number): Frame[][] {
  const out: Frame[][] = [];
  let run: Frame[] = [], upTo = room, at = 0;
  for (const f of frames) {
    if (run.length > 0 && f.end > upTo) {
      out.push(run);
      run = [];
      upTo = at + blockBytes;
    }
    run.push(f);
    at = f.end;
  }
  out.push(run);
  return out;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
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
