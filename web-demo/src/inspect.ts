// The inspector's page: any database of this origin, and the streams that it holds.
import { open, type Database } from "strandline";
import { inspect } from "strandline/inspector";

import { problem } from "./connection.js";

const select = document.getElementById("database") as HTMLSelectElement;
const panel = document.getElementById("panel")!;
let end = async () => {};
let shown: Database | null = null;

/** The databases of this origin: [name, user]. */
async function databases(): Promise<[string, string][]> {
  const all = await indexedDB.databases();
  return all
    .map(({ name }) => /^strandline\/([^/]*)\/([^/]*)$/.exec(name ?? ""))
    .filter((m) => m !== null)
    .map((m) => [decodeURIComponent(m[1]!), decodeURIComponent(m[2]!)]);
}

/** The streams that are kept in a database: the first parts of its records' keys. */
async function streams(name: string, user: string): Promise<string[]> {
  const path = `strandline/${encodeURIComponent(name)}/${encodeURIComponent(user)}`;
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(path);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found: string[] = [];
  const store = db.transaction("records").objectStore("records");
  await new Promise<void>((resolve, reject) => {
    const request = store.openKeyCursor();
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve();
      const stream = (cursor.key as [string, number])[0];
      found.push(stream);
      cursor.continue([stream, []]); // past all of its records
    };
  });
  db.close();
  return found;
}

async function show(name: string, user: string): Promise<void> {
  await end();
  const server = location.origin;
  const db = await open({ name, server, ...(user === "" ? {} : { user }) });
  for (const stream of await streams(name, user)) await db.stream(stream);
  const stop = inspect(db, { parent: panel, server });
  shown = db;
  end = async () => {
    stop();
    shown = null;
    await db.close();
  };
  document.documentElement.dataset.ready = "yes";
}

async function main(): Promise<void> {
  const found = await databases();
  const wanted = new URLSearchParams(location.search).get("database") ?? "todos-demo";
  for (const [name, user] of found) {
    const option = new Option(user === "" ? name : `${name} (${user})`, JSON.stringify([name, user]));
    option.selected = name === wanted;
    select.append(option);
  }
  if (found.length === 0) {
    problem(new Error("This origin has no database yet: open the todos first."));
    return;
  }
  const choose = () => show(...(JSON.parse(select.value) as [string, string]));
  select.addEventListener("change", () => choose().catch(problem));
  document.getElementById("choose")!.addEventListener("submit", (e) => {
    e.preventDefault();
    const input = document.getElementById("stream") as HTMLInputElement;
    shown?.stream(input.value).then(() => (input.value = ""), problem);
  });
  await choose();
}

main().catch(problem);
