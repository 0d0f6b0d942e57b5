// The classic script, with the global `strandline`: the wasm is beside it.
import { scriptURL } from "./base.js";
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __DATA__: string;
declare const __WASM__: string;
const base = scriptURL();
setWasm(() => new URL(__WASM__, base));
setData(() => import(new URL(__DATA__, base).href));
export * from "./index.js";
