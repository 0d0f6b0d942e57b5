// What the offline queue sends, and what it makes of the answers: a function of what is stored and what was answered, of nothing else.
// The queue is an idempotent producer: what a request holds is decided, and stored, before it is sent for the first time, so that whoever
// sends it again (this tab, another one, after a lost answer or a kill) sends the same, and the server takes it once.

/** How far the queue has come. Stored beside it; each change of it is a transaction that finds it as it was. */
export interface Producer {
  readonly id: string;
  readonly epoch: number;
  /** Of the request that is to be sent. */
  readonly seq: number;
  /** How many entries it holds, from the queue's first on; 0: that is not decided yet. */
  readonly batch: number;
  /** Bytes of the one entry that the server has, where it goes in parts. */
  readonly sent: number;
  /** How many entries go one by one from here on: one of them was refused, and the server did not say which. */
  readonly single: number;
}

/** What the server said of a request. */
export interface Answer {
  status: number;
  code: string; // of a problem; "" for none
  message: string;
  pointer: string;
  offset: number | null; // Upload-Offset
}

/** What comes of an answer. */
export interface Outcome {
  producer: Producer;
  /** How many entries the server has now, from the queue's first on. */
  done: number;
  /** Those that it refused for good, by their place in the queue after these. */
  refused: readonly number[];
  code: string;
  message: string;
  /** Why nothing more can be sent: the stream is gone, or another one than the queue is for. */
  stop: "" | "gone" | "exists" | "absent";
  /** Something that the app is told: another producer wrote under this one's name. */
  fenced: boolean;
}

export const maxBatch = 500; // entries of a request
export const partBytes = 1 << 20; // of a part of a large entry

export const newProducer = (id: string): Producer => ({ id, epoch: 0, seq: 0, batch: 0, sent: 0, single: 0 });

/** Decides what the next request holds, of entries of these sizes, in so much room. A large entry goes alone, in parts where it is bytes. */
export function decide(p: Producer, sizes: readonly number[], room: number): Producer {
  if (p.batch > 0 || sizes.length === 0) return p;
  let batch = 0;
  let bytes = 0;
  while (batch < sizes.length && batch < (p.single ? 1 : maxBatch) && (batch === 0 || bytes + sizes[batch]! <= room)) bytes += sizes[batch++]!;
  return { ...p, batch };
}

const goOn = (p: Producer): Producer => ({ ...p, seq: p.seq + 1, batch: 0, sent: 0, single: Math.max(0, p.single - p.batch) });
const newEpoch = (p: Producer, epoch: number, single: number): Producer => ({ ...p, epoch, seq: 0, batch: 0, sent: 0, single });

/** A request that did not go through is to hold less. What the server may have of it, it leaves out when it comes again: it knows the ids. */
export const cut = (p: Producer): Producer => newEpoch(p, p.epoch + 1, p.single);

/** What comes of the answer to p's request; null where it says nothing for good, and the same request is sent again. fresh is a new name. */
export function answered(p: Producer, a: Answer, fresh: string): Outcome | null {
  const none = { producer: p, done: 0, refused: [], code: "", message: "", stop: "", fenced: false } as const;
  const refuse = (refused: number[], single: number): Outcome => ({ ...none, producer: newEpoch(p, p.epoch + 1, single), refused, code: a.code, message: a.message });
  if (a.status === 200 || a.status === 204) {
    return a.offset === null ? { ...none, producer: goOn(p), done: p.batch } : { ...none, producer: { ...p, sent: a.offset } };
  }
  switch (a.code) {
    case "sequence":
      // Of the parts of an entry: the server has more, or less, than we heard. Of requests: it has lost what it knew of us, or it is another log.
      if (a.offset !== null) return { ...none, producer: { ...p, sent: a.offset } };
      return { ...none, producer: newEpoch(p, p.epoch + 1, p.single) };
    case "fenced":
      return { ...none, producer: newProducer(fresh), fenced: true };
    case "closed":
      // The server may have had some of them before it was closed, of a request that was cut otherwise: it knows an entry that comes by itself.
      return p.batch === 1 ? refuse([0], Math.max(0, p.single - 1)) : refuse([], p.batch);
    case "content-type":
    case "exists":
      return { ...none, stop: "exists", code: a.code, message: a.message };
    case "gone":
      return { ...none, stop: "gone", code: a.code, message: a.message };
    case "not-found":
      return { ...none, stop: "absent", code: a.code, message: a.message };
  }
  if (!refusals.has(a.status)) return null;
  // What is wrong is a header. Of the producer's: the server knows less of it than it should, as one that was restored from a copy does.
  if (a.pointer.startsWith("/Producer-")) return { ...none, producer: newEpoch(p, p.epoch + 1, p.single) };
  if (/^\/[A-Za-z]/.test(a.pointer)) return null;
  if (p.batch === 1) return refuse([0], Math.max(0, p.single - 1));
  const which = /^\/(\d+)/.exec(a.pointer);
  if (which && Number(which[1]) < p.batch) return refuse([Number(which[1])], 0);
  return refuse([], p.batch);
}

/** Statuses that would be the same for the same request. */
const refusals = new Set([400, 413, 415, 422]);
