// The sync server in this page or process, for tests, and the devices that use it, each with a network of its own.
import { Network } from "./network.js";
import { program, type Server } from "./program.js";
import type { Action, OpenOptions } from "../../types/strandline.js";

/** What is refused next: with that reason, or where fn gives one. */
type Refusal = string | ((action: Action, by: { user: string; stream: string }) => string | null | undefined);

let devices = 0; // of all servers: no two have the same databases

export class Device {
  readonly user: string;
  readonly network = new Network();
  /** For open: `open({ name: "my-app", ...device.options })`. */
  readonly options: Pick<OpenOptions, "server" | "user" | "auth" | "fetch" | "storage" | "timers">;
  #signedIn = true;

  /** @internal */
  constructor(server: Server, readonly token: string, user: string, url: string, sharing: string) {
    this.user = user;
    this.options = {
      server: `${url}/${sharing}`,
      user,
      auth: () => token,
      fetch: (input, init) => this.network.fetch(server, String(input instanceof Request ? input.url : input).replace(`/${sharing}/v1/`, "/v1/"), init),
      storage: "memory",
      timers: { retry: 50 }, // milliseconds: a test does not wait
    };
  }

  /** @internal */
  get signedIn(): boolean {
    return this.#signedIn;
  }

  /** The server takes the device's token no more. */
  signOut(): void {
    this.#signedIn = false;
  }

  signIn(): void {
    this.#signedIn = true;
  }
}

export class TestServer {
  readonly #server: Server;
  readonly #devices = new Map<string, Device>(); // by token
  #refusals: Refusal[] = [];
  #judge: Exclude<Refusal, string> | null = null;

  private constructor(create: (hooks: Parameters<Awaited<ReturnType<typeof program>>["create"]>[0]) => Server) {
    this.#server = create({
      subject: (token) => (this.#devices.get(token)?.signedIn ? this.#devices.get(token)!.user : null),
      refusal: (user, stream, text) => {
        const action = JSON.parse(text) as Action, next = this.#refusals.shift();
        try {
          const said = typeof next === "function" ? next(action, { user, stream }) : next;
          return said ?? this.#judge?.(action, { user, stream }) ?? null;
        } catch (e) {
          console.error("strandline/test: a judge threw", e); // an assertion, maybe: who waits for the write is told
          return `the judge threw: ${e instanceof Error ? e.message : String(e)}`;
        }
      },
    });
  }

  /** @internal */
  static async begin(): Promise<TestServer> {
    const { create } = await program();
    return new TestServer(create);
  }

  /** One more browser of a user's. Two with the same name of a database do not see one another's storage. */
  device(user = "somebody"): Device {
    const n = ++devices, token = `${user}/${n}/${Math.random().toString(36).slice(2)}`;
    const device = new Device(this.#server, token, user, "http://strandline.test", `device-${n}`);
    this.#devices.set(token, device);
    return device;
  }

  /** Refuses the next action for good, with that reason, or as a function says. */
  rejectNext(refusal: Refusal): void {
    this.#refusals.push(refusal);
  }

  /** Asks a function about each action: why it is refused, or nothing. null ends that. */
  judge(judge: Exclude<Refusal, string> | null): void {
    this.#judge = judge;
  }

  /** Asks the server as anybody may: `/v1/log?stream=…`, `/v1/data/…`. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const device = this.device("the test");
    const response = await device.network.fetch(this.#server, new URL(path, "http://strandline.test"), { ...init, headers: { ...init.headers, Authorization: `Bearer ${device.token}` } });
    this.#devices.delete(device.token);
    return response;
  }

  /** Ends it: whoever uses it is offline. */
  close(): void {
    for (const { network } of this.#devices.values()) network.offline();
    this.#server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A server with nothing in it. */
export const testServer = (): Promise<TestServer> => TestServer.begin();
