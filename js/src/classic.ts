// The classic script, with the global `strandline`: the wasm is beside it. currentScript is there only while the
// script is first run; a worker that imports scripts has its own address instead.
import { setBase } from "./runtime.js";
const script = typeof document === "undefined" ? null : document.currentScript;
setBase((script as HTMLScriptElement | null)?.src || globalThis.location?.href || "");
export * from "./index.js";
