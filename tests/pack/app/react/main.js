import { createElement as h, StrictMode, version } from "react";
import { createRoot } from "react-dom/client";
import { open } from "strandline";
import { App } from "./app.jsx";
import { counts } from "./counts.js";

const options = { name: "react", server: location.origin, timers: { idle: 300, retry: 300 } };

Object.assign(window, { counts, version, open, options });
createRoot(document.getElementById("app")).render(h(StrictMode, null, h(App, { open, options })));
