"use client";
import { useEffect } from "react";
import { open } from "strandline";
import { useDatabase, useQuery, useStream } from "strandline/react";

export default function Page() {
  const { it: db, error } = useDatabase(open, { name: "next", server: typeof location === "undefined" ? undefined : location.origin });
  const { it: list } = useStream(db, "next/list");
  const rows = useQuery(list, { type: "todo", orderBy: "title" });
  useEffect(() => {
    window.ready = list && (async () => {
      await list.create("todo", { title: "from Next.js" });
      await list.settled();
      return [list.count() > 0, true];
    })();
  }, [list]);
  return <main><h1>{error ? error.code : list ? "open" : "opening"}</h1><p id="count">{rows.length}</p></main>;
}
