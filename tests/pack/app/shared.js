// What the apps of the frameworks have in common; the rest is what any app would write.
import { open } from "strandline";

export { open };
export const options = { name: "frameworks", server: location.origin, timers: { idle: 300, retry: 300 } };
export const stream = "frameworks/list";
export const todos = { type: "todo", orderBy: "title" };
export const add = (list, n) => list.create("todo", { title: `todo ${n}` });
/** The server takes no action of this size. */
export const tooMuch = (list) => list.create("todo", { title: "x".repeat(3000) });
Object.assign(window, { open, options });
