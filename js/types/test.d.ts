// For tests of apps, in a page or in Node: the sync server itself, in memory, devices whose networks fail as you say, and a clock that is set forward.
import type { Action, OpenOptions } from "./strandline.js";

/** Starts a server with nothing in it, in this page or process.
 * @example
 * import { open } from "strandline";
 * import { testServer } from "strandline/test";
 *
 * using server = await testServer();
 * const ada = server.device("ada"), bo = server.device("bo");
 * const [hers, his] = await Promise.all([ada, bo].map(async ({ options }) => (await open({ name: "my-app", ...options })).stream("lists/1")));
 * ada.network.offline();
 * const id = await hers!.create("todo", { title: "Written offline" });
 * ada.network.online();
 * await hers!.settled();
 * for await (const row of his!.live(id)) if (row) break; // it has come */
export function testServer(): Promise<TestServer>;

export interface TestServer {
  /** One more browser of a user's ("somebody" where none is named). Two do not see one another's storage, also where user and name of the database are the same. */
  device(user?: string): Device;
  /** Refuses the next action for good: with that reason, or, where a function gives none, not.
   * @example
   * server.rejectNext("titles are short here");
   * await todos.create("todo", { title: "A very long one", done: false }).persisted.catch((e) => e.message); */
  rejectNext(refusal: string | Judge): void;
  /** Asks a function about each action; null ends that. */
  judge(judge: Judge | null): void;
  /** Asks the server as anybody may who speaks its protocol.
   * @example
   * const log = await (await server.fetch("/v1/log?stream=lists/1")).json(); */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Ends it: its devices are offline. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Gives why an action is refused, or nothing. */
export type Judge = (action: Action, by: { user: string; stream: string }) => string | null | undefined;

export interface Device {
  readonly user: string;
  readonly network: Network;
  /** For open, beside the name. Storage is memory; retries come after 50 ms. */
  readonly options: Pick<OpenOptions, "server" | "user" | "auth" | "fetch" | "storage" | "timers">;
  /** The server takes the device's token no more: what is pending is held. */
  signOut(): void;
  signIn(): void;
}

/** The network of a device. */
export interface Network {
  /** Breaks what is under way; nothing gets through until online(). */
  offline(): void;
  online(): void;
  /** Has requests and answers take so many milliseconds, each; 0 ends that. */
  slow(milliseconds: number): void;
  /** Loses the next requests, which the server never sees, or (where nothing is said) their answers: it has done what was asked, and nobody hears of it. */
  lose(what?: "request" | "answer", count?: number): void;
}

/** Takes over setTimeout, setInterval, Date and performance.now of this page or process. Time goes on as it does; nobody has to wait for it.
 * @example
 * import { testClock } from "strandline/test";
 *
 * using clock = testClock();
 * await clock.advance(60_000); // a minute: what is due until then has happened */
export function testClock(): TestClock;

export interface TestClock {
  /** Goes so many milliseconds forward: what is due until then happens, in its order, each with the time at which it is due. */
  advance(milliseconds: number): Promise<void>;
  /** Gives timers and the date back as they were; performance.now, which never goes back, stays ahead. Close what is open before. */
  restore(): void;
  [Symbol.dispose](): void;
}
