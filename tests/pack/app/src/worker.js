import { open } from "strandline";

const db = await open({ name: "vite", server: location.origin });
const list = await db.stream("vite/list");
const chat = await db.data("vite/chat");
await list.create("todo", { title: "from a worker" });
await chat.append("from a worker");
postMessage("written");
