export default {
  base: "./",
  logLevel: "warn",
  build: { target: "esnext", emptyOutDir: true, rollupOptions: { input: "src/sw.js", output: { entryFileNames: "sw.js" } } },
};
