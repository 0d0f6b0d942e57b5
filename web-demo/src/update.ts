import { allKept } from "./connection.js";

/** Installs the service worker, and offers a new version where one waits. Taken up in one tab, it is taken up in all: each loads anew, but not while busy. */
export async function register(busy: () => boolean): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const workers = navigator.serviceWorker;
  let controlled = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    if (controlled) void reload(busy);
    controlled = true;
  });
  const registration = await workers.register("sw.js", { updateViaCache: "none" });
  const offer = () => {
    const note = document.getElementById("update");
    if (!registration.waiting || !workers.controller || !note) return;
    note.hidden = false;
    note.querySelector("button")!.onclick = () => registration.waiting?.postMessage("skip-waiting");
  };
  const found = () => registration.installing?.addEventListener("statechange", offer);
  offer();
  found();
  registration.addEventListener("updatefound", found);
}

/** Loads the page anew, once what is being typed is done and what was written is durable: until then it is nowhere but in this page. */
async function reload(busy: () => boolean): Promise<void> {
  for (await allKept(); busy(); await allKept()) await typedOn();
  location.reload();
}

/** Resolves after the next key, or when a field is left. */
function typedOn(): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const tell = () => {
      over.abort();
      setTimeout(resolve); // after what others make of that event
    };
    for (const event of ["keyup", "focusout"]) addEventListener(event, tell, { signal: over.signal });
  });
}
