import { open } from "strandline";
import { inspect } from "strandline/inspector";

window.ready = (async () => {
  const db = await open({ name: "vite", server: location.origin });
  const list = await db.stream("vite/list");
  const chat = await db.data("vite/chat");
  await list.create("todo", { title: "from Vite" });
  await chat.append("from Vite");
  inspect(db)();
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const said = await new Promise((resolve) => {
    worker.onmessage = (e) => resolve(e.data);
    worker.onerror = (e) => resolve(e.message);
  });
  await new Promise((resolve) => list.subscribe({}, (rows) => rows.length >= 2 && resolve()));
  await list.settled();
  return [list.count(), (await chat.read()).length, said];
})();
