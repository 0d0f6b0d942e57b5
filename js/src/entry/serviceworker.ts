// The service worker's part: at a wake-up it runs the loop until nothing is left to send, within a time.
import type { Database } from "../life/database.js";
import { invalid, SyncError } from "../values/errors.js";
import { visit } from "../life/opening.js";
import { checkOptions, sharedName, type OpenOptions } from "../values/options.js";

export type ServiceWorkerOptions = Pick<OpenOptions, "name" | "user" | "server" | "auth" | "wasm" | "log"> & { streams?: readonly string[] };

interface Wake extends Event {
  readonly tag?: string;
  waitUntil(p: Promise<unknown>): void;
}

const limit = 60_000; // milliseconds: browsers end what takes minutes

/** Handles the wake-ups "sync", "periodicsync" and "push". */
export function serviceWorker(options: ServiceWorkerOptions): void {
  const { streams, ...open } = options;
  checkOptions(open);
  if (streams !== undefined && !(Array.isArray(streams) && streams.every((name) => typeof name === "string"))) throw invalid("/streams", "is no list of names");
  const tag = sharedName(options);
  let running: Promise<void> | null = null;
  let again = false; // somebody came while it was running, and may have something that it has not seen
  const loop = async () => {
    do {
      again = false;
      await run(open, streams);
    } while (again);
  };
  const wake = (e: Event) => {
    const event = e as Wake;
    if (event.type === "sync" && event.tag !== tag) return; // somebody else's
    if (event.type === "periodicsync" && event.tag !== tag && event.tag !== "strandline") return;
    again = true;
    event.waitUntil((running ??= loop().finally(() => (running = null))));
  };
  for (const type of ["sync", "periodicsync", "push"]) addEventListener(type, wake);
}

/** Sends what is left, within the limit; what hangs beyond it is left to itself. */
async function run(options: OpenOptions, streams: readonly string[] | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SyncError({ code: "timeout", message: "timeout: the wake-up is over", retryable: true })), limit);
  });
  try {
    await Promise.race([tries(options, streams), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A network that is just back fails once more now and then, and the browser would wait for minutes. */
async function tries(options: OpenOptions, streams: readonly string[] | undefined): Promise<void> {
  for (const pause of [1000, 3000]) {
    try {
      return await drain(options, streams);
    } catch (e) {
      if (!(e instanceof SyncError && e.retryable)) throw e;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return drain(options, streams);
}

async function drain(options: OpenOptions, streams: readonly string[] | undefined): Promise<void> {
  const db = await visit(options);
  try {
    const left = await sent(db, streams ?? (await db.names()));
    // A wake-up that fails is tried again by the browser.
    if (left > 0) throw new SyncError({ code: "unsent", message: `unsent: ${left} are not on the server yet`, retryable: true });
  } finally {
    await db.close();
  }
}

/** Sends what any context has left behind, of streams that may be open or not, and gives how much of it is left. */
async function sent(db: Database, names: readonly string[]): Promise<number> {
  const failed: unknown[] = []; // those that cannot be opened do not keep the others
  for (const name of names) await db.stream(name).catch((e: unknown) => failed.push(e));
  const data = await db.dataStreams.any();
  await data?.owed(true);
  await db.sync();
  const pending = () => Object.values(db.status.streams).reduce((n, s) => n + s.pending, 0);
  if (data && pending() > 0) await db.sync(); // what waited for entries
  if (failed.length > 0) throw failed[0];
  return pending() + ((await data?.queued()) ?? 0);
}
