// The components: what any app would write.
import { createElement as h, memo, useMemo, useSyncExternalStore } from "react";
import { useDatabase, useLive, useQuery, useRow, useStream } from "strandline/react";
import { counts } from "./counts.js";

const Item = memo(function Item({ stream, id }) {
  counts.item++;
  return h("li", null, useRow(stream, id)?.title ?? "gone");
});

/** The first code that anyone writes, without the hooks. */
function Naive({ stream }) {
  const rows = useSyncExternalStore((changed) => stream.subscribe({ type: "todo", orderBy: "title" }, changed), () => stream.query({ type: "todo", orderBy: "title" }));
  const status = useSyncExternalStore((changed) => stream.on("status", changed), () => stream.status);
  return h("p", { id: "naive" }, `${rows.length} ${status.pending}`);
}

export function List({ open, options }) {
  counts.list++;
  const { it: db, error } = useDatabase(open, options);
  const { it: stream } = useStream(db, "react/list");
  const rows = useQuery(stream, { type: "todo", orderBy: "title" });
  const status = useLive(useMemo(() => stream?.live.status, [stream]), null);
  const n = useLive(useMemo(() => stream?.live.count({ type: "todo" }), [stream]), 0);
  return h("section", null,
    h("h1", null, error ? error.code : stream ? "open" : "opening"),
    h("p", { id: "state" }, status ? "known" : "unknown"),
    h("p", { id: "count" }, n),
    h("ul", null, rows.map((row) => h(Item, { key: row.id, stream, id: row.id }))),
    stream && h(Naive, { stream }),
    h("button", { onClick: () => stream.create("todo", { title: `todo ${rows.length}` }) }, "add"),
  );
}
