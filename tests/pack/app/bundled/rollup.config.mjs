// Rollup leaves new URL(…, import.meta.url) as it is: what it names is copied beside the bundle.
import { createRequire } from "node:module";
import { cpSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

const resolve = (await import(pathToFileURL(createRequire(`${process.env.TOOLS}/`).resolve("@rollup/plugin-node-resolve")))).default;
const dist = "../node_modules/strandline/dist";
const copy = { name: "copy", writeBundle: () => readdirSync(dist).filter((name) => name.endsWith(".wasm")).forEach((name) => cpSync(`${dist}/${name}`, `rollup/${name}`)) };

export default { input: "main.js", output: { dir: "rollup", format: "es", chunkFileNames: "[name].js" }, plugins: [resolve({ browser: true }), copy] };
