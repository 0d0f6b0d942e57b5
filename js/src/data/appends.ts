// What this context has appended to a data stream: stored in the order of the calls, and followed until the server has it.
import { mediaType } from "./options.js";
import { partBytes } from "./producer.js";
import { blobOf } from "./request.js";
import { unheard, type Queued, type Stored, type Tx } from "./store.js";
import type { DataSync } from "./sync.js";
import type { SyncError } from "../values/errors.js";
import type { Life } from "../values/life.js";
import type { Open, Write } from "../values/write.js";

const maxJSON = (4 << 20) - 1024; // of a message: what a request may have

/** The stream that it is appended to. */
interface Of {
  readonly sync: DataSync;
  readonly name: string;
  readonly life: Life;
  stored(): Stored;
  /** Its row, in a transaction. */
  row(tx: Tx): Promise<Stored>;
  /** So many more are pending: who hears that his entry is durable sees it counted. */
  stands(more: number): void;
  /** Something was appended, and is stored: the row is what it was made; null where that has to be read. */
  appended(row: Stored | null): void;
}

export class Appends {
  readonly #of: Of;
  readonly #open = new Map<string, { open: Open<undefined>; n: number; row: Omit<Queued, "n"> }>(); // appended here, and not on the server
  readonly #indexes = new Map<string, number>(); // of entries that the server has, until the store says so
  readonly #settling = new Set<{ upTo: number; resolve: () => void; reject: (e: unknown) => void }>();
  #queue: { open: Open<undefined>; row: Omit<Queued, "n"> }[] = [];
  #writing: Promise<void> = Promise.resolve(); // the appends so far

  constructor(of: Of) {
    this.#of = of;
  }

  /** Appends an entry that another profile has not sent, and waits until it is stored; false where it waits here already. */
  async adopt(id: string, value: unknown): Promise<boolean> {
    if (this.waits(id) || (await this.#place(id)) !== null) return false;
    await this.append(value, id);
    return true;
  }

  append(value: unknown, id = this.#of.sync.host.newID()): Write<undefined> {
    const { kit } = this.#of.sync.host;
    const open = kit.begin<undefined>();
    try {
      this.#of.life.check();
      const json = !(value instanceof Uint8Array) && !(value instanceof Blob);
      const { body, size } = json ? this.#text(value) : bytesOf(value);
      if (size === 0) throw kit.invalid("", "an entry has at least one byte");
      const type = this.contentType;
      if (type && json !== (mediaType(type) === "application/json")) throw kit.invalid("", json ? `the stream's ${type} takes bytes` : "the stream takes JSON");
      open.write.object = id;
      open.write.action = id;
      this.#queue.push({ open, row: { stream: this.#of.name, id, value: body, json, size, at: Date.now(), by: this.#of.sync.presence.id } });
      if (this.#queue.length === 1) this.#writing = this.#writing.then(() => this.#write());
    } catch (e) {
      open.reject(e);
      open.write.fail(e);
    }
    return open.write;
  }

  get contentType(): string {
    return this.#of.stored().type || (this.#queue[0] ? (this.#queue[0].row.json ? "application/json" : "application/octet-stream") : "");
  }

  #text(value: unknown): { body: Uint8Array; size: number } {
    const { kit } = this.#of.sync.host;
    if (value === undefined) throw kit.invalid("", "a value of type undefined is not JSON");
    kit.check(value, "");
    const body = new TextEncoder().encode(JSON.stringify(value));
    if (body.length > maxJSON) throw kit.errorOf({ code: "too-large", message: `too-large: a JSON entry has at most ${maxJSON} bytes` });
    return { body, size: body.length };
  }

  /** Stores what this tick has appended, in one transaction. */
  async #write(): Promise<void> {
    const batch = this.#queue;
    const type = this.contentType;
    this.#queue = [];
    try {
      let row: Stored | null = null;
      const store = () => this.#of.sync.store.run("readwrite", ["streams", "queue"], async (tx) => {
        const s = await this.#of.row(tx);
        if (s.type && mediaType(s.type) !== mediaType(type)) throw this.#of.sync.host.kit.invalid("", `the stream is ${s.type}`);
        batch.forEach((b, i) => tx.put("queue", { ...b.row, n: s.next + i } satisfies Queued));
        row = { ...s, type: s.type || type, next: s.next + batch.length };
        tx.put("streams", row);
        return s.next;
      });
      const first = await this.#verdict(store, batch[0]!.row.id);
      const over = this.#of.life.ended;
      if (!over) batch.forEach((b, i) => this.#open.set(b.row.id, { ...b, n: first + i }));
      if (!over) this.#of.stands(batch.length);
      for (const b of batch) {
        if (this.#of.sync.store.durable || this.#of.sync.host.memory) b.open.resolve(undefined); // else when the server has it
        else if (over) b.open.reject(this.#of.life.why);
        if (over) b.open.write.settle(0, this.#of.life.why);
      }
      if (over) return;
      this.#of.appended(row);
    } catch (e) {
      for (const b of batch) {
        b.open.reject(e);
        b.open.write.fail(e);
      }
    }
  }

  /** Stores until it is known that it was, or was not: a transaction of a connection that the browser has closed may have been kept. Gives the place of the
      first entry, which has that id. */
  async #verdict(store: () => Promise<number>, id: string): Promise<number> {
    for (let n = 0, unknown = false; ; n++) {
      try {
        const kept = unknown ? await this.#place(id) : null;
        if (kept !== null) return kept;
        unknown = false;
        return await store();
      } catch (e) {
        unknown ||= (e as SyncError).cause === unheard;
        if (!unknown || n === 5) throw e;
        await new Promise((r) => setTimeout(r, 100 << n));
      }
    }
  }

  /** Where an entry is in the queue; null where it is not. (One that the log has brought meanwhile is queued again: the server knows its id.) */
  #place(id: string): Promise<number | null> {
    return this.#of.sync.store.run("readonly", ["streams", "queue"], async (tx) => {
      await this.#of.row(tx);
      const [kept] = await tx.byID<Queued>("queue", id);
      return kept ? kept.n : null;
    });
  }

  /** Whether an entry was appended here, and is not on the server. */
  waits(id: string): boolean {
    return this.#open.has(id) || this.#queue.some((q) => q.row.id === id);
  }

  /** Resolves when what was appended here is stored, or refused. */
  get flushed(): Promise<void> {
    return this.#writing;
  }

  /** The server has an entry, at an index. */
  acked(id: string, index: number): void {
    if (this.#open.has(id)) this.#indexes.set(id, Math.max(0, index));
  }

  /** Resolves when the server has all up to a place. */
  settled(upTo: number): Promise<void> {
    return new Promise((resolve, reject) => this.#settling.add({ upTo, resolve, reject }));
  }

  /** The server has all up to a place; so much is pending. */
  settle(acked: number, pending: number): void {
    for (const [id, { open, n }] of this.#open) {
      if (n > acked) continue;
      open.resolve(undefined);
      open.write.settle(this.#indexes.get(id) ?? 0, null); // unknown where it was not heard
      this.#open.delete(id);
      this.#indexes.delete(id);
    }
    for (const wait of this.#settling) {
      if (acked < wait.upTo && pending > 0) continue;
      this.#settling.delete(wait);
      wait.resolve();
    }
  }

  /** Ends what was promised of an entry. */
  fail(id: string, error: SyncError): void {
    const open = this.#open.get(id)?.open;
    open?.reject(error); // where it was not kept here
    open?.write.settle(0, error);
    this.#open.delete(id);
  }

  end(error: SyncError): void {
    for (const id of [...this.#open.keys()]) this.fail(id, error);
    for (const wait of this.#settling) wait.reject(error);
    this.#settling.clear();
  }

  /** What is not known to be on the server, as a queue of its own. */
  lost(): Queued[] {
    return [...this.#open.values()].map((open, i) => ({ ...open.row, n: (open.n = i) }));
  }
}

/** Bytes as the queue keeps them: its own copy, a Blob where they are many. */
function bytesOf(value: unknown): { body: Blob | Uint8Array; size: number } {
  if (value instanceof Blob) return { body: value, size: value.size };
  const bytes = (value as Uint8Array).slice();
  return { body: bytes.length > partBytes ? blobOf(bytes) : bytes, size: bytes.length };
}
