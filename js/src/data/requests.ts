// One request of a data stream: what is sent or fetched, and what comes of it, in transactions that find the stream as it was.
import { keepPage } from "./cache.js";
import { unpack, type Frame } from "./frames.js";
import type { Hint } from "./hint.js";
import type { Host, Worked } from "./kit.js";
import type { Keep } from "./options.js";
import { answered, cut, decide, maxBatch, type Outcome, type Producer } from "./producer.js";
import { blobOf, copied, request } from "./request.js";
import { rows } from "./span.js";
import type { Queued, Refused, Store, Stored, Tx } from "./store.js";
import type { DataStream } from "./stream.js";
import { Way } from "./way.js";
import type { Page, Wire } from "./wire.js";

const sameRequest = (a: Producer, b: Producer) => a.id === b.id && a.epoch === b.epoch && a.seq === b.seq && a.sent === b.sent && a.batch === b.batch;

/** The data streams of the database, in this context. */
interface Of {
  readonly host: Host;
  readonly store: Store;
  readonly wire: Wire;
  readonly streams: ReadonlyMap<string, DataStream>;
  /** What is stored of a stream has changed. */
  changed(name: string): void;
  /** Entries that actions wait for may be on the server now. */
  sent(): void;
}

export class Requests {
  readonly #of: Of;
  readonly #way = new Way();

  constructor(of: Of) {
    this.#of = of;
  }

  #failure(code: string, message: string): Error {
    return new this.#of.host.kit.Failure(code, message) as unknown as Error;
  }

  /** A stream's turn, which ends in any case: one request of what is queued, unless that waits, else of a page of what is new. Who may not write may read. */
  async turn(name: string, hold: boolean, fetch: boolean): Promise<Worked> {
    const w: Worked = { sent: 0, fetched: 0, refused: 0, pending: 0, offset: "", more: false, failure: null, alone: false };
    const { failureOf, Failure } = this.#of.host.kit;
    this.#of.wire.cost = { status: 0, bytes: 0 };
    const failed = (e: unknown) => {
      w.failure = failureOf(e);
      if (/^(storage|quota)$/.test(w.failure.code)) this.#of.changed(name); // it may have been done all the same
    };
    const push = async () => {
      const pushed = await this.push(name, w).catch((e: unknown) => (failed(e), false));
      return (w.more = pushed);
    };
    try {
      if (!hold && (await push())) return w;
      if (fetch) {
        const more = await this.pull(name, w);
        w.alone = true; // the way is there, whatever became of what was sent
        if (more) return { ...w, more };
      }
      // What was read says what the stream is, and may be the remedy.
      if ((hold || /^(content-type|exists)$/.test(w.failure?.code ?? "")) && ((w.failure = null), await push())) return w;
      const s = await this.stored(name);
      w.pending = await this.queued(s);
      w.offset = s.offset;
      if (s.gone) w.failure = new Failure("gone", "the data stream was deleted");
    } catch (e) {
      failed(e);
      w.alone = false;
    }
    if (w.failure && w.pending === 0) w.pending = await this.stored(name).then((s) => this.queued(s)).catch(() => 1);
    return w;
  }

  all(): Promise<Stored[]> {
    return this.#of.store.run("readonly", ["streams"], (tx) => tx.all<Stored>("streams", null));
  }

  /** How many entries of a stream are not on the server. */
  queued(s: Stored): Promise<number> {
    return this.#of.store.run("readonly", ["queue"], (tx) => tx.count("queue", rows(s.name, s.acked)));
  }

  stored(name: string): Promise<Stored> {
    return this.#of.store.run("readonly", ["streams"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      const open = this.#of.streams.get(name);
      if (open) return open.mine(s);
      if (!s) throw this.#failure("not-found", "the data stream is not known here");
      return s;
    });
  }

  /** Makes the queue's next request, or makes it again. False where nothing is queued, or nothing can be sent. */
  async push(name: string, w: Worked): Promise<boolean> {
    const read = await this.#of.store.run("readonly", ["streams", "queue"], async (tx) => {
      const s = await tx.get<Stored>("streams", name);
      const items: Queued[] = [];
      let size = 0;
      if (s && !s.gone) {
        await tx.walk<Queued>("queue", rows(name, s.acked), (q) => {
          items.push(q);
          size += q.size;
          return items.length < Math.max(1, s.producer.batch) || (s.producer.batch === 0 && items.length < maxBatch && size < this.#way.room);
        });
      }
      return { s, items };
    });
    const { s, items } = read;
    if (!s || items.length === 0) return false;
    w.pending = items.length; // at least: they are counted when nothing more goes
    const p = decide(s.producer, items.map((q) => q.size), this.#way.room);
    if (p !== s.producer && !(await this.#move(name, s.producer, (now) => ({ ...now, producer: p })))) return true;
    const batch = items.slice(0, p.batch);
    const { headers, body } = request(s, p, batch, this.#way.room);
    const answer = await this.#of.wire.append(name, p, headers, body).catch(async (e: unknown) => {
      const smaller = this.#way.failed(body.size, this.#of.host.kit.failureOf(e));
      if (smaller && p.batch > 1) await this.#move(name, p, (now) => ({ ...now, producer: cut(p) }));
      throw e;
    });
    this.#way.ok(body.size);
    let outcome = answered(p, answer, this.#of.host.newID());
    if (!outcome) throw this.#failure(answer.code || "bad-answer", answer.message);
    if (outcome.stop === "absent" && s.exists) outcome = { ...outcome, stop: "gone" };
    if (outcome.stop === "absent") {
      const made = await this.#of.wire.create(name, s.type || "application/json");
      if (made.status >= 400) throw this.#failure(made.code, made.message);
      await this.#of.store.run("readwrite", ["streams"], async (tx) => {
        const now = await tx.get<Stored>("streams", name);
        if (now) tx.put("streams", { ...now, exists: true });
      });
      return true;
    }
    if (outcome.stop === "exists") throw this.#failure(outcome.code, outcome.message);
    if (outcome.stop === "gone") {
      await this.#gone(s);
      return false;
    }
    w.sent = outcome.done;
    w.refused = outcome.refused.length;
    await this.#settle(name, p, batch, outcome, answer.head);
    return true;
  }

  /** Writes what came of an answer, unless another context has done so. */
  async #settle(name: string, p: Producer, batch: readonly Queued[], o: Outcome, head: number): Promise<void> {
    const refused = o.refused.map((i) => batch[i]!);
    const stream = this.#of.streams.get(name);
    const acked = head > 0 ? batch.slice(0, o.done).map((q, i) => [q.id, head - (o.done - 1 - i)] as const) : [];
    for (const [id, index] of acked) stream?.acked(id, index);
    if (acked.length > 0) this.#of.host.tell({ data: "acked", name, acked } satisfies Hint); // the others hear of it before they look
    const values = await Promise.all(refused.map((q) => copied(q.value)));
    const won = await this.#move(name, p, (now, tx) => {
      for (const [i, q] of refused.entries()) {
        tx.put("rejected", { ...q, value: values[i]!, code: o.code, message: o.message } satisfies Refused);
        tx.delete("queue", [name, q.n]);
      }
      return { ...now, producer: o.producer, acked: o.done > 0 ? batch[o.done - 1]!.n : now.acked, exists: now.exists || o.done > 0 || o.producer.sent > 0 }; // a refusal tells nothing of that
    });
    if (!won) return this.#of.changed(name); // by another context, or here, where the browser did not say that it was done
    if (o.fenced) this.#of.host.log("warn", "fenced", `another copy of this database writes to the data stream ${name}: this one goes on under a name of its own`);
    if (batch[0] && (o.producer.sent > 0 || p.sent > 0)) {
      const progress = o.producer.sent > 0 ? { id: batch[0].id, sent: o.producer.sent, size: batch[0].size } : null; // all of it is there, or it was refused
      stream?.progress(progress);
      this.#of.host.tell({ data: "progress", name, progress } satisfies Hint);
    }
    if (o.done > 0) this.#of.sent();
    this.#of.changed(name);
  }

  /** Changes a stream in one transaction that finds its producer as it was; false where it does not. */
  #move(name: string, was: Producer, to: (now: Stored, tx: Tx) => Stored): Promise<boolean> {
    return this.#of.store.run("readwrite", ["streams", "queue", "rejected"], async (tx) => {
      const now = await tx.get<Stored>("streams", name);
      if (!now || !sameRequest(now.producer, was)) return false;
      tx.put("streams", to(now, tx));
      return true;
    });
  }

  /** Fetches a page. False where nothing more is there. */
  async pull(name: string, w: Worked): Promise<boolean> {
    const s = await this.stored(name);
    if (s.gone) return false;
    const { keep } = s;
    const query = s.offset ? `offset=${s.offset}&` : keep === "all" ? "" : `last=${keep.entries ?? 1000}&`;
    const page = await this.#of.wire.read(name, query);
    if ("status" in page) {
      if (page.code === "not-found" && !s.exists) return false; // nobody has written yet
      // Another log stands under the name: the offset is not one of its own.
      const other = page.code === "malformed" && page.pointer === "/offset";
      if (!other && page.code !== "not-found" && page.code !== "gone") throw this.#failure(page.code, page.message);
      await this.#gone(s);
      return false;
    }
    const frames = unpack(page.bytes);
    w.fetched = frames.length;
    const same = frames.length === 0 && s.offset === page.next && s.closed === page.closed && s.exists;
    if (!same || s.acked >= 0) await keepPage(this.#of.store, s, page, frames, await this.#large(name, s, page, frames, keep));
    if (!same) this.#of.changed(name);
    return !page.upToDate;
  }

  /** The server has the stream no more. */
  async #gone(s: Stored): Promise<void> {
    await this.#of.store.run("readwrite", ["streams"], async (tx) => {
      const now = await tx.get<Stored>("streams", s.name);
      if (now && now.life === s.life) tx.put("streams", { ...now, gone: true });
    });
    this.#of.changed(s.name);
  }

  /** The bytes of large entries, from the queue where they are of this context's own, else from the server. */
  async #large(name: string, s: Stored, page: Page, frames: readonly Frame[], keep: Keep): Promise<Map<string, Blob>> {
    const out = new Map<string, Blob>();
    let before = page.from;
    for (const f of frames) {
      if (f.body === null && (keep === "all" || f.size <= (keep.bytes ?? Infinity))) {
        const own = f.id === "" ? [] : await this.#of.store.run("readonly", ["queue"], (tx) => tx.byID<Queued>("queue", f.id));
        const mine = own.find((q) => q.stream === s.name)?.value;
        const kept = mine && (await blobOf(mine).arrayBuffer().catch(() => null)); // a file may be gone
        out.set(f.offset, kept ? new Blob([kept]) : await this.#of.wire.bytes(name, `offset=${before}`, f.size));
      }
      before = f.offset;
    }
    return out;
  }
}
