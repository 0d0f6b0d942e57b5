// For importScripts in a service worker, with the global `strandline`: everything but the wasm is in it, since a service worker cannot import later.
import * as later from "./later.js";
import { scriptURL } from "./base.js";
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __WASM__: string;
const base = scriptURL();
setWasm(() => new URL(__WASM__, base));
setData(() => Promise.resolve(later));
export * from "./index.js";
export { serviceWorker } from "./serviceworker.js";
