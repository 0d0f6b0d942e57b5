// A script of its own, which the main one loads when the first data stream is opened, or a bundle is written or read.
export { take } from "../bundle/take.js";
export { write } from "../bundle/write.js";
export { DataSync } from "../data/sync.js";
