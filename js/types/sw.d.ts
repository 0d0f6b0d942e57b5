/** The module for service workers: the same surface, in one file. */
export * from "./strandline.js";
