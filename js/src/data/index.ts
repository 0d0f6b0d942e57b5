// The data streams: a script of its own, which the main one loads when the first data stream is opened.
export { DataSync } from "./sync.js";
