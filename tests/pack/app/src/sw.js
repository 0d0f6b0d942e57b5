// Bundled by the app's own tools, with Workbox's list of files put in.
import { serviceWorker } from "strandline/sw";

serviceWorker({ name: "vite", server: location.origin });
const files = self.__WB_MANIFEST.map(({ url }) => (url === "index.html" ? "./" : url)); // as servers give it, without a redirect
addEventListener("install", (e) => e.waitUntil(caches.open("app").then((cache) => cache.addAll(files))));
addEventListener("activate", (e) => e.waitUntil(clients.claim()));
addEventListener("fetch", (e) => {
  if (e.request.method === "GET" && !new URL(e.request.url).pathname.startsWith("/v1/")) {
    e.respondWith(caches.match(e.request.mode === "navigate" ? "./" : e.request, { ignoreSearch: true }).then((hit) => hit ?? fetch(e.request)));
  }
});
