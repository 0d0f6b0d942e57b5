import { Database } from "./database.js";
import { checkOptions, type OpenOptions } from "../values/options.js";

/** Opens (or makes) the local database, and starts the sync loop. */
export function open(options: OpenOptions): Promise<Database> {
  return begin(options, true);
}

/** Opens it; one that is no candidate never runs the loop for others, and keeps nothing in memory only. */
export async function begin(options: OpenOptions, candidate: boolean): Promise<Database> {
  const url = checkOptions(options);
  const db = new Database(options, url);
  await db.begin(candidate);
  return db;
}
