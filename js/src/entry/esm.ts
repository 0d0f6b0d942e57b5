// The ES module: the wasm and the script of the data streams are beside it. Both are named as bundlers look for files.
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __DATA__: string;
declare const __WASM__: string; // content-hashed; the build puts them in
setWasm(() => new URL(__WASM__, import.meta.url));
setData(() => import(__DATA__));
export * from "./index.js";
