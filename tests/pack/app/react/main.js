import { createElement as h, StrictMode, useState, version } from "react";
import { createRoot } from "react-dom/client";
import { open } from "strandline";
import { counts, List } from "./list.js";

const options = { name: "react", server: location.origin, timers: { idle: 300, retry: 300 } };

function App() {
  const [shown, show] = useState(2);
  window.show = show;
  return Array.from({ length: shown }, (_, i) => h("div", { key: i, id: `list${i}` }, h(List, { open, options })));
}

Object.assign(window, { counts, version, open, options });
createRoot(document.getElementById("app")).render(h(StrictMode, null, h(App)));
