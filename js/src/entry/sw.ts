// The same as a module, for service workers of type "module" and for those that a bundler makes.
import * as later from "./later.js";
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __WASM__: string;
setWasm(() => new URL(__WASM__, import.meta.url));
setData(() => Promise.resolve(later));
export * from "./index.js";
export { serviceWorker } from "./serviceworker.js";
