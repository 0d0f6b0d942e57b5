// The inspector's page: any database of this origin, looked at and not opened.
import { inspect } from "strandline/inspector";

import { problem } from "./connection.js";

const select = document.getElementById("database") as HTMLSelectElement;
const panel = document.getElementById("panel")!;
let end = () => {};

/** The databases of this origin: [name, user]. */
async function databases(): Promise<[string, string][]> {
  const all = await indexedDB.databases();
  return all
    .map(({ name }) => /^strandline\/([^/]*)\/([^/]*)$/.exec(name ?? ""))
    .filter((m) => m !== null)
    .map((m) => [decodeURIComponent(m[1]!), decodeURIComponent(m[2]!)]);
}

function show(name: string, user: string): void {
  end();
  end = inspect({ name, user }, { parent: panel, server: location.origin });
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
  select.addEventListener("change", choose);
  choose();
}

main().catch(problem);
