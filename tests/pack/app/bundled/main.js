// What any app would write, for bundlers.
import { open } from "strandline";

window.ready = (async () => {
  const db = await open({ name: "bundled", server: location.origin });
  const list = await db.stream("bundled/list"), chat = await db.data("bundled/chat");
  await list.create("todo", {});
  await chat.append("x");
  await list.settled();
  await chat.settled();
  return [list.count() > 0, (await chat.read()).length > 0];
})();
