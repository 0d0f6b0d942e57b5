// Rendered where there is no browser: what there is not yet.
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { List } from "./list.js";

console.log(renderToString(h(List, { open: () => Promise.reject(new Error("nothing is opened on a server")), options: { name: "react" } })));
