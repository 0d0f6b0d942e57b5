// The connection: a switch that takes this page offline, and what people are told about it.
import type { StreamStatus } from "strandline";

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const realFetch = globalThis.fetch;

interface SyncManager {
  register(tag: string): Promise<void>;
}

/** With the switch on, this page's requests fail, and those under way end, as they do without a network; and nobody wakes the service worker up to send for it. */
export function offlineSwitch(input: HTMLInputElement): void {
  const sync = (globalThis as { SyncManager?: { prototype: SyncManager } }).SyncManager?.prototype;
  const register = sync?.register;
  if (sync && register) {
    sync.register = function (tag) {
      return input.checked ? Promise.reject(new TypeError("this page is switched offline")) : register.call(this, tag);
    };
  }
  let cut = new AbortController();
  globalThis.fetch = (resource, init) => {
    if (input.checked) return Promise.reject(new TypeError("this page is switched offline"));
    const signal = init?.signal ? AbortSignal.any([init.signal, cut.signal]) : cut.signal;
    return realFetch(resource, { ...init, signal });
  };
  input.addEventListener("change", () => {
    if (input.checked) {
      cut.abort(new TypeError("this page was switched offline"));
      cut = new AbortController();
    }
    dispatchEvent(new Event(input.checked ? "offline" : "online"));
  });
}

export const words: { [state in StreamStatus["state"]]: string } = {
  starting: "Starting",
  syncing: "Syncing",
  live: "Live",
  offline: "Offline",
  waiting: "No answer",
  held: "Not signed in",
  stopped: "Stopped",
};

/** What the loop does next, in words. */
export function next(status: StreamStatus): string {
  const parts = [status.pending === 0 ? "All changes are sent." : `${status.pending} ${status.pending === 1 ? "change is" : "changes are"} kept here until the server has them.`];
  if (status.next && status.state !== "live" && status.state !== "syncing") {
    const seconds = Math.ceil((status.next.at - Date.now()) / 1000);
    parts.push(seconds > 0 ? `Next try in ${seconds} s.` : "Trying now.");
  }
  return parts.join(" ");
}

/** Keeps the badge true. */
export function badge(stream: { readonly status: StreamStatus; on(event: "status", fn: () => void): unknown }): void {
  let shown = "";
  const tell = () => {
    const status = stream.status;
    const text = next(status);
    if (shown === status.state + text) return; // a status region is read out at each change
    shown = status.state + text;
    $("badge").dataset.state = status.state;
    $("badge").title = status.error?.message ?? "";
    $("badge-state").textContent = words[status.state];
    $("badge-next").textContent = text;
    if (status.state === "stopped") problem(status.error ?? new Error("the stream has stopped"));
  };
  stream.on("status", tell);
  const clock = setInterval(() => {
    try {
      tell();
    } catch {
      clearInterval(clock); // the stream was closed
    }
  }, 1000);
  tell();
}

/** Shows an error. */
export function problem(e: unknown): void {
  $("problem").hidden = false;
  $("problem").textContent = e instanceof Error ? e.message : String(e);
}

const writes = new Set<Promise<unknown>>();

/** Keeps a write in mind until it is durable, or has failed. */
export function kept<T>(write: Promise<T>): Promise<T> {
  const over = () => writes.delete(write);
  writes.add(write);
  write.then(over, over);
  return write;
}

/** Resolves when no write is under way: what is not durable yet goes with its page. */
export async function allKept(): Promise<void> {
  while (writes.size > 0) await Promise.allSettled(writes);
}

/** Shows what became of a write that failed. */
export function said(write: Promise<unknown>): void {
  kept(write).then(() => ($("problem").hidden = true), problem);
}
