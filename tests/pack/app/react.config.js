// The app of React, with the version that the mode says: TOOLS is where both are.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const tools = createRequire(`${process.env.TOOLS}/`);
const of = (name) => tools.resolve(name).replace(/\/index\.js$/, "");

const react = async () => (await import(pathToFileURL(tools.resolve("@vitejs/plugin-react")))).default();

const config = async (version) => ({
  root: "react",
  base: "./",
  logLevel: "warn",
  plugins: [await react()],
  server: { fs: { strict: false }, proxy: { "/v1": { target: process.env.SYNC_SERVER } } },
  build: { target: "esnext", outDir: `../react-dist${version}`, emptyOutDir: true },
  resolve: {
    alias: [
      { find: /^react-dom\/client$/, replacement: `${of(`react-dom${version}`)}/client.js` },
      { find: /^react-dom$/, replacement: of(`react-dom${version}`) },
      { find: /^react\/(jsx-.*)$/, replacement: `${of(`react${version}`)}/$1.js` },
      { find: /^react$/, replacement: of(`react${version}`) },
      { find: /^scheduler$/, replacement: of(`scheduler${version}`) },
    ],
  },
});

export default ({ mode }) => config(String(mode) === "18" ? "18" : "");
