import { For } from "solid-js";
import { useDatabase, useLive, useQuery, useRow, useStream } from "strandline/solid";
import { add, open, options, stream, todos, tooMuch } from "../shared.js";

export function List() {
  const { it: db, error } = useDatabase(open, options);
  const { it: list } = useStream(db, stream);
  const rows = useQuery(list, todos);
  const first = useRow(list, () => rows()[0]?.id ?? "");
  const status = useLive(() => list()?.live.status, null);
  const refused = useLive(() => list()?.live.rejected, []);
  return (
    <>
      <h1>{error() ? error().code : list() ? "open" : "opening"}</h1>
      <p id="state">{status()?.state}</p>
      <p id="first">{first()?.title}</p>
      <ul><For each={rows()}>{(row) => <li>{row.title.slice(0, 10)}</li>}</For></ul>
      <p id="refused">{refused()?.[0]?.code}</p>
      <button id="add" onClick={() => add(list(), rows().length)}>add</button>
      <button id="bad" onClick={() => tooMuch(list())}>too much</button>
    </>
  );
}
