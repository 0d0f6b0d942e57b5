// Everything in one classic script, the program as well, with the global `strandline`: for pages that can neither fetch nor import (file:, some extensions, an
// app in a single file).
import * as later from "./later.js";
import { setData } from "../life/lazy.js";
import { setWasm } from "../program/loading.js";
declare const __PROGRAM__: string; // packed with gzip, in base 64; the build puts it in

setWasm(() => {
  const packed = Uint8Array.from(atob(__PROGRAM__), (c) => c.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
});
setData(() => Promise.resolve(later));
export * from "./index.js";
