// The ES module: the wasm and the script of the data streams are beside it.
import { setData } from "./lazy.js";
import { setBase } from "./runtime.js";
declare const __DATA__: string;
setBase(import.meta.url);
setData(() => import(__DATA__));
export * from "./index.js";
