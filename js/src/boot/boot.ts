// What a page reads before it has a program: of a database that is there already. Nothing is written here, and none is made.
import { Witness } from "../contexts/witness.js";
import { assemble, type Early, type Lack, type Stored } from "./early.js";

const schema = 1; // of the database, as idbstore has it
const format = 1; // of what it holds
const limit = 3000; // milliseconds that the browser has for each answer: some are forgotten

export class Boot {
  readonly #db: IDBDatabase;
  #reading = 0;
  #quiet: (() => void)[] = [];

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** Connects to a database; null where there is none that can be read so. */
  static async open(name: string): Promise<Boot | null> {
    try {
      if (globalThis.localStorage && !new Witness(name).knows) return null;
    } catch {
      return null; // storage is forbidden
    }
    const db = await connect(name).catch(() => null);
    if (!db) return null;
    const of = await within(result(() => db.transaction("meta").objectStore("meta").get("format"))).catch(() => Infinity);
    if (!(typeof of === "number" && of <= format)) {
      db.close();
      return null;
    }
    return new Boot(db);
  }

  /** The rows of a stream, or what of them lacks. */
  async read(stream: string): Promise<Early | Lack> {
    this.#reading++;
    try {
      const stored = await within(this.#stored(stream)).catch(() => null); // the program will say what is wrong
      return stored ? await assemble(stored).catch(() => 2 as Lack) : 0;
    } finally {
      this.#reading--;
      this.#settle();
    }
  }

  #stored(stream: string): Promise<Stored> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction(["records", "meta"]);
      const records = tx.objectStore("records"), meta = tx.objectStore("meta");
      // Keys are [stream, number], of pages [stream, string], and of their rows [stream, [string]].
      const numbers = IDBKeyRange.bound([stream, 0], [stream, ""]), rows = IDBKeyRange.bound([stream, []], [stream, [[]]]);
      const asked = [records.getAllKeys(numbers), meta.getAllKeys(numbers), meta.getAll(numbers), meta.getAllKeys(rows), meta.getAll(rows)] as const;
      tx.oncomplete = () => {
        const [inLog, at, texts, pages, of] = asked.map((r) => r.result as unknown[]) as [[string, number][], [string, number][], string[], [string, [string]][], string[]];
        resolve({ log: inLog.map((key) => key[1]), at: at.map((key) => key[1]), texts, rows: new Map(pages.map((key, i) => [key[1][0], of[i]!])) });
      };
      tx.onabort = () => reject(tx.error ?? new Error("aborted"));
    });
  }

  /** Resolves in a task in which nothing is being read. */
  async quiet(): Promise<void> {
    do {
      if (this.#reading > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
      await new Promise((resolve) => setTimeout(resolve));
    } while (this.#reading > 0);
  }

  #settle(): void {
    if (this.#reading === 0) for (const resolve of this.#quiet.splice(0)) resolve();
  }

  close(): void {
    this.#db.close();
  }
}

function within<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error("no answer")), limit)));
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

function connect(name: string): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    const request = indexedDB.open(name, schema);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve(null);
    }, limit);
    request.onupgradeneeded = () => request.transaction!.abort(); // it is not there
    request.onerror = (e) => {
      e.preventDefault();
      clearTimeout(timer);
      resolve(null);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      const db = request.result;
      db.onversionchange = () => db.close(); // who deletes it is not held up
      if (!late && db.objectStoreNames.contains("records") && db.objectStoreNames.contains("meta")) return resolve(db);
      db.close();
      resolve(null);
    };
  });
}

function result<T>(ask: () => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = ask();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("failed"));
    request.transaction!.onabort = () => reject(new Error("aborted"));
  });
}
