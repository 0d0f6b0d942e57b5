// The service worker: shell and wasm under one version, so that the demo opens without a network, and never with parts of two
// versions. It answers nothing of /v1.
declare const __VERSION__: string;
declare const __ASSETS__: string[];
declare const __STRANDLINE__: string;
declare function importScripts(...urls: string[]): void;
declare const strandline: { serviceWorker(options: { name: string; server: string }): void };

interface WorkerScope {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate" | "message" | "fetch", fn: (e: WorkerEvent) => void): void;
}
interface WorkerEvent {
  data: unknown;
  request: Request;
  waitUntil(p: Promise<unknown>): void;
  respondWith(p: Promise<Response>): void;
}
const worker = globalThis as unknown as WorkerScope;
const prefix = "strandline-demo-";
const cacheName = prefix + __VERSION__;

/** A name that tells its content: the page has fetched the same, and the browser has kept it. */
const hashed = /\.[0-9a-f]{10}\.\w+$/;

// What is unsent when the last page is closed goes out from here, when there is a network.
importScripts(__STRANDLINE__);
strandline.serviceWorker({ name: "todos-demo", server: location.origin });

worker.addEventListener("install", (e) => {
  const fresh = __ASSETS__.map((asset) => new Request(asset, { cache: hashed.test(asset) ? "default" : "reload" }));
  e.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(fresh)));
});

worker.addEventListener("activate", (e) => {
  e.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith(prefix) && n !== cacheName).map((n) => caches.delete(n))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("message", (e) => {
  if (e.data === "skip-waiting") void worker.skipWaiting();
});

worker.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  const scope = new URL(worker.registration.scope);
  if (e.request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname) || url.pathname.startsWith("/v1/")) return;
  e.respondWith(answer(e.request, scope));
});

/** From the cache first. A page that is not there under its name is its folder's, or without a network the todos. */
async function answer(request: Request, scope: URL): Promise<Response> {
  const cache = await caches.open(cacheName);
  const find = (url: string) => cache.match(url, { ignoreSearch: true });
  const page = request.mode === "navigate";
  const path = new URL(request.url);
  const hit = (await find(request.url)) ?? (page && !path.pathname.endsWith("/") ? await find(`${path.origin}${path.pathname}/`).then((r) => r && Response.redirect(`${path.pathname}/${path.search}`)) : undefined);
  if (hit) return hit;
  try {
    return await fetch(request);
  } catch (e) {
    const shell = page ? await find(scope.href) : undefined;
    if (shell) return shell;
    throw e;
  }
}
