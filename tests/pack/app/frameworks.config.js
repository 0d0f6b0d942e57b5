// The apps of the other frameworks, one for each mode, each built as its framework's people build it.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const tools = createRequire(`${process.env.TOOLS}/`);
const tool = async (name) => (await import(pathToFileURL(tools.resolve(name)))).default;
const plugins = {
  vue: async () => [(await tool("@vitejs/plugin-vue"))()],
  svelte: async () => [(await import(pathToFileURL(`${process.env.TOOLS}/node_modules/@sveltejs/vite-plugin-svelte/src/index.js`))).svelte()],
  solid: async () => [(await tool("vite-plugin-solid"))()],
  angular: async () => [],
  react: async () => [],
};

// A mode "quick-vue" is of the guide's quick start.
export default async ({ mode }) => ({
  root: mode,
  base: "./",
  logLevel: "warn",
  plugins: await plugins[mode.replace("quick-", "")](),
  server: { fs: { strict: false }, proxy: { "/v1": { target: process.env.SYNC_SERVER } } },
  build: { target: "esnext", outDir: `../${mode}-dist`, emptyOutDir: true },
});
