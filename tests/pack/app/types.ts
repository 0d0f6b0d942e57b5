import { open, increment, RestartedError, type Health, type Stream } from "strandline";
import { inspect } from "strandline/inspector";
import { serviceWorker } from "strandline/sw";

interface Todos {
  todo: { title: string; done: boolean; n?: number };
}

export async function all(): Promise<Health> {
  const db = await open({ name: "types", server: new URL("https://example.org/sync") });
  const list: Stream<Todos> = await db.stream<Todos>("lists/1");
  const id = await list.create("todo", { title: "a", done: false });
  await list.update(id, { n: increment() }).persisted.catch((e: unknown) => e instanceof RestartedError);
  // @ts-expect-error a schema is heeded
  list.create("todo", { title: 1 });
  serviceWorker({ name: "types", streams: ["lists/1"] });
  db.on("update", ({ wasm, database }: { wasm: boolean; database: boolean }) => console.log(wasm, database));
  inspect(db)();
  return db.health();
}
