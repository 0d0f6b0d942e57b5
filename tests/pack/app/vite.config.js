export default {
  base: "./",
  worker: { format: "es" },
  logLevel: "warn",
  build: { target: "esnext" },
  server: { proxy: { "/v1": { target: process.env.SYNC_SERVER } } },
};
