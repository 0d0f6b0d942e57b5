// The ES module: the wasm is beside it.
import { setBase } from "./runtime.js";
setBase(import.meta.url);
export * from "./index.js";
