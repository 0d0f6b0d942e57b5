// node workbox.mjs generate|inject SITE [SOURCE]: makes SITE/sw.js, with a list of the site's files.
import { createRequire } from "node:module";
const { generateSW, injectManifest } = createRequire(process.env.TOOLS + "/package.json")("workbox-build");
const [how, site, source] = process.argv.slice(2);
const files = { globDirectory: site, globPatterns: ["**/*.{html,js,wasm}"], maximumFileSizeToCacheInBytes: 16 << 20 };
const made =
  how === "generate"
    ? await generateSW({ ...files, swDest: site + "/sw.js", importScripts: ["strandline/strandline.sw.js", "wake-ups.js"], clientsClaim: true, skipWaiting: true, mode: "production" })
    : await injectManifest({ ...files, swSrc: source, swDest: site + "/sw.js" });
for (const warning of made.warnings) console.error(warning);
console.log(made.count);
