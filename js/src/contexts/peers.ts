// What the contexts (tabs, workers) of a database tell one another. Only hints: what counts is read from the local log.
import { Channel } from "./channel.js";

/** What a context tells of its loop. */
export interface Traced {
  readonly trace: readonly object[];
  readonly leader: boolean;
  /** The page's title. */
  readonly tab: string;
}

export type Message =
  | Uint8Array // of the core
  | { readonly data: string } // about a data stream
  | { readonly woken: true } // somebody looks, or the network is back
  | { readonly version: string } // of a context that begins
  | { readonly destroying: boolean } // somebody is about to delete the database on purpose, or, after all, is not
  | { readonly destroyed: true }
  | "trace?" // somebody asks for the trace
  | Traced;

interface Host {
  destroyed(): void;
  destroying(yes: boolean): void;
  woken(): void;
  core(message: Uint8Array): void;
  data(message: { readonly data: string }): void;
  met(version: string): void;
  /** Somebody asks for the trace; null where there is none to give. */
  trace(): Traced | null;
}

export class Peers {
  #channel: Channel<Message> | null = null;
  #isolated = false; // what is in memory of this context nobody else sees, and what others tell is not about it

  /** Begins to listen, and says of which version this context is. */
  listen(name: string, version: string, host: Host): void {
    this.#channel = new Channel(name, (message) => this.#hear(message, host));
    this.tell({ version });
  }

  #hear(message: Message, host: Host): void {
    const told = (key: string): unknown => (message as { readonly [key: string]: unknown } | null)?.[key];
    if (told("destroyed") === true) return host.destroyed();
    if (typeof told("destroying") === "boolean") return host.destroying(told("destroying") as boolean);
    if (this.#isolated) return;
    if (message instanceof Uint8Array) host.core(message);
    else if (typeof told("data") === "string") host.data(message as { data: string });
    else if (told("woken") === true) host.woken();
    else if (typeof told("version") === "string") host.met(told("version") as string);
    else if (message === "trace?") {
      const trace = host.trace();
      if (trace) this.#channel?.post(trace);
    }
  }

  tell(message: Message): void {
    if (!this.#isolated) this.#channel?.post(message);
  }

  /** Tells it even where this context is by itself. */
  shout(message: Message): void {
    this.#channel?.post(message);
  }

  isolate(): void {
    this.#isolated = true;
  }

  /** What is here is what the others have, again. */
  join(): void {
    this.#isolated = false;
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }
}
