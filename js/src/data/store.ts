// What a database's data streams keep in IndexedDB, in a database of its own beside the one of the action streams: Blobs stay what they
// are there, and never pass through the program's memory. Only a completed transaction is durable.
import type { Host } from "./kit.js";
import { Memory } from "./memory.js";
import type { Keep } from "./options.js";
import type { Producer } from "./producer.js";
import { Span } from "./span.js";

/** A stream as it is known here. */
export interface Stored {
  name: string;
  born: string; // what was made anew is another one
  life: number; // how often it was begun anew
  keep: Keep;
  type: string; // its content type; "" while that is not known
  producer: Producer;
  /** The queue's next place, and the last place that the server has; entries stay in the queue until the log has brought them. */
  next: number;
  acked: number;
  /** The log from `from` to `offset` is kept here, in blocks; "" while nothing was read. */
  from: string;
  offset: string;
  head: number;
  block: number; // the next block's place
  kept: number; // entries in the blocks
  bytes: number; // and bytes, with those of large ones
  exists: boolean; // the server has, or had, it
  gone: boolean; // and has it no more
  closed: boolean;
}

/** An entry that the log has not brought yet. */
export interface Queued {
  stream: string;
  n: number;
  id: string;
  value: Blob | Uint8Array;
  json: boolean; // value is the text of one
  size: number;
  at: number;
  by?: string; // the context that has appended it; absent in what earlier versions have stored
}

/** An entry that the server refused for good. */
export interface Refused extends Queued {
  code: string;
  message: string;
  dealt?: number; // when it was discarded, or appended again: only who has appended it is to hear of it still
}

/** Entries of the log as they came: a run of the view of entries. */
export interface Block {
  stream: string;
  n: number;
  from: string; // the offset before it
  to: string;
  count: number;
  size: number; // with the large ones
  bytes: Uint8Array;
  large: string[]; // offsets of those that are kept beside it
}

const version = 1;
const deleteLimit = 2000; // milliseconds that a context may keep it from being deleted
const openLimit = 8000; // milliseconds that the browser may take to open the database

export type Name = "streams" | "queue" | "rejected" | "blocks" | "large";

/** A transaction under way. Requests are awaited in it, and nothing else. */
export interface Tx {
  get<T>(store: Name, key: IDBValidKey): Promise<T | undefined>;
  all<T>(store: Name, range: Span | null, count?: number): Promise<T[]>;
  byID<T>(store: Name, id: string): Promise<T[]>;
  /** Rows in order, until each says that it is enough. */
  walk<T>(store: Name, range: Span, each: (row: T) => boolean): Promise<void>;
  count(store: Name, range: Span): Promise<number>;
  put(store: Name, value: unknown, key?: IDBValidKey): void;
  delete(store: Name, key: IDBValidKey | Span): void;
}

class Requests implements Tx {
  constructor(readonly tx: IDBTransaction) {}

  done<T>(r: IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      r.onsuccess = () => resolve(r.result);
      r.onerror = () => reject(r.error ?? new Error("a request failed"));
    });
  }
  get<T>(store: Name, key: IDBValidKey): Promise<T | undefined> {
    return this.done(this.tx.objectStore(store).get(key) as IDBRequest<T | undefined>);
  }
  all<T>(store: Name, range: Span | null, count?: number): Promise<T[]> {
    return this.done(this.tx.objectStore(store).getAll(range?.range, count) as IDBRequest<T[]>);
  }
  byID<T>(store: Name, id: string): Promise<T[]> {
    return this.done(this.tx.objectStore(store).index("id").getAll(id) as IDBRequest<T[]>);
  }
  walk<T>(store: Name, range: Span, each: (row: T) => boolean): Promise<void> {
    const r = this.tx.objectStore(store).openCursor(range.range);
    return new Promise((resolve, reject) => {
      r.onerror = () => reject(r.error ?? new Error("a request failed"));
      r.onsuccess = () => {
        try {
          if (r.result && each(r.result.value as T)) r.result.continue();
          else resolve();
        } catch (e) {
          reject(e);
        }
      };
    });
  }
  count(store: Name, range: Span): Promise<number> {
    return this.done(this.tx.objectStore(store).count(range.range));
  }
  put(store: Name, value: unknown, key?: IDBValidKey): void {
    this.tx.objectStore(store).put(value, key);
  }
  delete(store: Name, key: IDBValidKey | Span): void {
    this.tx.objectStore(store).delete(key instanceof Span ? key.range : key);
  }
}

/** Thrown in a transaction that lacks the row of a stream that is open: the database was destroyed, or taken away. */
export const gone = new Error("the row of a stream is gone");

/** What became of a transaction is not known. */
export const unheard = new DOMException("the connection was closed", "AbortError");

export class Store {
  readonly #name: string;
  readonly #host: Host;
  readonly #gone: () => Promise<void>;
  #factory: IDBFactory | null = null; // of a frame
  #framed = false; // one was asked for: each takes the place of another
  #db: Promise<IDBDatabase> | null = null;
  #memory: Memory | null = null; // where the browser keeps nothing
  #closed = false;
  readonly #underWay = new Set<() => void>(); // transactions: Chromium forgets them where it closes the connection by force

  /** whenGone resolves when the store has taken refuge, or need not, or never will. */
  constructor(host: Host, whenGone: () => Promise<void>) {
    this.#name = `${host.shared}/data`;
    this.#host = host;
    this.#gone = whenGone;
    if (!host.durable()) this.#memory = new Memory();
  }

  /** Whether the browser keeps what is committed. */
  get durable(): boolean {
    return !this.#memory;
  }

  /** Goes on in memory, with nothing. */
  refuge(): void {
    this.#memory ??= new Memory();
    void this.#db?.then((db) => db.close(), () => {});
  }

  #open(): Promise<IDBDatabase> {
    if (this.#closed) throw this.#over();
    return (this.#db ??= this.#connect(this.#factory ?? indexedDB)
      // WebKit may have lost what serves this page's databases: a frame's factory works.
      .catch((e: Error) => {
        const frame = !this.#framed && /^(Unknown|InvalidState|Abort)Error$/.test(e.name) && this.#host.frame();
        if (!frame) throw e;
        this.#framed = true;
        return this.#connect(frame).then((db) => {
          this.#factory = frame;
          return db;
        });
      })
      .catch(async (e: unknown) => {
        if (await this.#host.healed(e, this.#name)) return this.#connect(indexedDB);
        throw e;
      })
      .catch((e: unknown) => {
        this.#db = null;
        throw e;
      }));
  }

  #connect(factory: IDBFactory): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const r = factory.open(this.#name, version);
      let late = false;
      const limit = setTimeout(() => {
        late = true;
        reject(new DOMException("the browser does not open the database", "TimeoutError"));
      }, openLimit);
      r.onupgradeneeded = () => {
        const db = r.result;
        db.createObjectStore("streams", { keyPath: "name" });
        for (const name of ["queue", "rejected", "blocks"]) {
          const rows = db.createObjectStore(name, { keyPath: ["stream", "n"] });
          if (name !== "blocks") rows.createIndex("id", "id");
        }
        db.createObjectStore("large"); // [stream, offset] → Blob
      };
      r.onerror = () => {
        clearTimeout(limit);
        reject(r.error ?? new Error("the database did not open"));
      };
      r.onsuccess = () => {
        const db = r.result;
        if (late) return db.close(); // nobody waits for it any more
        clearTimeout(limit);
        const gone = () => (this.#db = null); // the next call opens it again
        db.onclose = () => {
          gone();
          for (const lost of this.#underWay) lost();
        };
        db.onversionchange = () => {
          gone();
          db.close();
        };
        resolve(db);
      };
    });
  }

  /** Runs body in one transaction and gives what it gave, once that is durable, or, in memory, done. */
  async run<T>(mode: IDBTransactionMode, stores: Name[], body: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      if (this.#memory) return await this.#memory.run(body);
      const value = await this.#runStored(mode, stores, body);
      return this.#memory ? await (this.#memory as Memory).run(body) : value; // taken away meanwhile
    } catch (e) {
      if (e !== gone && this.#memory && e instanceof DOMException) return (this.#memory as Memory).run(body);
      if (e !== gone) throw this.#error(e);
      if (!this.#memory) await this.#gone();
      if (this.#closed) throw this.#over();
      const again = this.#memory ? (this.#memory as Memory).run(body) : this.#runStored(mode, stores, body);
      return again.catch((e: unknown) => Promise.reject(e === gone ? this.#over() : (this.#error(e) as Error)));
    }
  }

  async #runStored<T>(mode: IDBTransactionMode, stores: Name[], body: (tx: Tx) => Promise<T>): Promise<T> {
    const { durability, disk } = this.#host;
    if (disk) return disk.run(body);
    const db = await this.#open();
    let tx: IDBTransaction;
    try {
      tx = db.transaction(stores, mode, { durability });
    } catch {
      this.#db = null; // it was being closed
      tx = (await this.#open()).transaction(stores, mode, { durability });
    }
    let lost!: () => void;
    const complete = new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error ?? new DOMException("the transaction was aborted", "AbortError"));
      this.#underWay.add((lost = () => reject(unheard)));
    }).finally(() => this.#underWay.delete(lost));
    complete.catch(() => {});
    let value: T;
    try {
      const work = body(new Requests(tx));
      work.catch(() => {});
      value = await Promise.race([work, complete.then(() => work)]);
    } catch (e) {
      try {
        tx.abort();
      } catch {
        // it has ended
      }
      await complete.catch((why: unknown) => {
        if (why === tx.error && tx.error) throw why;
      });
      throw e;
    }
    await complete;
    return value;
  }

  #over(): Error {
    return this.#host.kit.errorOf({ code: "closed", message: "closed: the database is closed" });
  }

  #error(e: unknown): unknown {
    if (!(e instanceof DOMException)) return e;
    if (e.name === "VersionError") return this.#host.kit.errorOf({ code: "upgrade", message: "upgrade: the local database is of a newer version: load the newer app" });
    const quota = e.name === "QuotaExceededError";
    const error = new this.#host.kit.SyncError({ code: quota ? "quota" : "storage", message: `${quota ? "quota" : "storage"}: ${e.message}`, retryable: true }, e);
    return quota ? this.#host.kit.errorOf({ code: "quota", message: error.message, retryable: true }) : error;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const db = await this.#db?.catch(() => null);
    db?.close();
  }

  /** Closes it and deletes all that it keeps. */
  async destroy(): Promise<void> {
    await this.close();
    if (!globalThis.indexedDB) return;
    await new Promise<void>((resolve, reject) => {
      setTimeout(resolve, deleteLimit); // the browser goes on with it by itself
      const r = indexedDB.deleteDatabase(this.#name);
      r.onsuccess = () => resolve();
      r.onerror = () => reject(this.#error(r.error));
    });
  }
}
