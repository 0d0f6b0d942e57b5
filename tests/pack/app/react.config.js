// The app of React, with the version that the mode says: TOOLS is where both are.
import { createRequire } from "node:module";

const tools = createRequire(`${process.env.TOOLS}/`);
const of = (name) => tools.resolve(name).replace(/\/index\.js$/, "");

const config = (version) => ({
  root: "react",
  base: "./",
  logLevel: "warn",
  build: { target: "esnext", outDir: `../react-dist${version}`, emptyOutDir: true },
  resolve: {
    alias: [
      { find: /^react-dom\/client$/, replacement: `${of(`react-dom${version}`)}/client.js` },
      { find: /^react-dom$/, replacement: of(`react-dom${version}`) },
      { find: /^react$/, replacement: of(`react${version}`) },
      { find: /^scheduler$/, replacement: of(`scheduler${version}`) },
    ],
  },
});

export default ({ mode }) => config(String(mode) === "18" ? "18" : "");
