// The ES module for Node: the wasm is a file beside the script.
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __DATA__: string;
declare const __WASM__: string;
setWasm(async () => (await import("node:fs/promises")).readFile(new URL(__WASM__, import.meta.url)));
setData(() => import(__DATA__));
export * from "./index.js";
