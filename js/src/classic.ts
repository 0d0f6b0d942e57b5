// The classic script, with the global `strandline`: the wasm is beside it. currentScript is there only while the
// script is first run; a worker that imports scripts has its own address instead.
import { setData } from "./lazy.js";
import { setBase } from "./runtime.js";
declare const __DATA__: string;
const script = typeof document === "undefined" ? null : document.currentScript;
const base = (script as HTMLScriptElement | null)?.src || globalThis.location?.href || "";
setBase(base);
setData(() => import(new URL(__DATA__, base).href));
export * from "./index.js";
