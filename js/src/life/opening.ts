import { Database } from "./database.js";
import { Users } from "../values/users.js";
import { invalid, SyncError } from "../values/errors.js";
import { logTo } from "../values/log.js";
import { checkOptions, sharedName, type OpenOptions } from "../values/options.js";

const databases = new Users<Database>();

const copy = {}; // this one
const copies = ((globalThis as { [key: symbol]: unknown })[Symbol.for("strandline.copies")] ??= new Set()) as Set<object>;

/** Opens (or makes) the local database, and starts the sync loop. One that is open in this page is the same, until all have closed it. */
export async function open(options: OpenOptions): Promise<Database> {
  supported();
  const url = checkOptions(options), key = sharedName(options);
  if (!copies.has(copy) && copies.add(copy).size > 1) {
    logTo(options.log)({ level: "warn", code: "copies", message: "strandline is loaded twice here: what one copy makes the other does not know; load it once (npm ls strandline)" });
  }
  const make = async () => {
    const db: Database = new Database(options, url, true, { letGo: () => databases.letGo(key, db), forget: () => databases.forget(key, db) });
    databases.made(key, db);
    await db.begin();
    return db;
  };
  const again = (db: Database) => {
    if (db.url !== url) throw invalid("/server", "the database is open with another one");
    return db;
  };
  return databases.open(key, make, again);
}

/** Opens it in a context that never runs the loop for others, and keeps nothing in memory only. */
export async function visit(options: OpenOptions): Promise<Database> {
  supported();
  const db = new Database(options, checkOptions(options), false, { letGo: () => true, forget: () => {} });
  await db.begin();
  return db;
}

const needed = ["WebAssembly", "TextEncoder", "TextDecoder", "AbortController", "URL", "fetch", "queueMicrotask", "structuredClone", "crypto"];

/** Throws where the browser lacks what nothing can stand in for, and says what. README has the least versions. */
function supported(): void {
  const missing = needed.filter((name) => !(name in globalThis));
  if (!("hasOwn" in Object)) missing.push("Object.hasOwn");
  if (missing.length > 0) throw new SyncError({ code: "unsupported", message: `unsupported: this browser has no ${missing.join(", ")}` });
}
