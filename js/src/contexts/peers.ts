// What the contexts (tabs, workers) of a database tell one another. Only hints: what counts is read from the local log.
import { Channel } from "./channel.js";

export type Message =
  | Uint8Array // of the core
  | { readonly data: string } // about a data stream
  | { readonly woken: true } // somebody looks, or the network is back
  | { readonly version: string } // of a context that begins
  | { readonly destroying: boolean } // somebody is about to delete the database on purpose, or, after all, is not
  | { readonly destroyed: true }
  | { readonly inspect: object } // an inspector asks
  | { readonly inspected: object }
  | { readonly order: object }; // an inspector has something done

interface Host {
  destroyed(): void;
  destroying(yes: boolean): void;
  woken(): void;
  core(message: Uint8Array): void;
  data(message: { readonly data: string }): void;
  met(version: string): void;
  /** An inspector asks; null where there is nothing to tell. */
  inspected(asked: object): Promise<object> | null;
  order(order: object): void;
}

export class Peers {
  #channel: Channel<Message> | null = null;
  #alone = false; // it never was anybody else's
  #isolated = false; // what is in memory of this context nobody else sees, and what others tell is not about it

  /** Begins to listen, and says of which version this context is. alone: what it has is nobody else's, as the app wants it. */
  listen(name: string, version: string, alone: boolean, host: Host): void {
    this.#alone = this.#isolated = alone;
    this.#channel = new Channel(name, (message) => this.#hear(message, host));
    this.tell({ version });
  }

  #hear(message: Message, host: Host): void {
    const told = (key: string): unknown => (message as { readonly [key: string]: unknown } | null)?.[key];
    if (this.#alone && !told("inspect") && !told("order")) return;
    if (told("destroyed") === true) return host.destroyed();
    if (typeof told("destroying") === "boolean") return host.destroying(told("destroying") as boolean);
    if (typeof told("inspect") === "object") return void host.inspected(told("inspect") as object)?.then((inspected) => this.shout({ inspected }));
    if (typeof told("order") === "object") return host.order(told("order") as object);
    if (this.#isolated) return;
    if (message instanceof Uint8Array) host.core(message);
    else if (typeof told("data") === "string") host.data(message as { data: string });
    else if (told("woken") === true) host.woken();
    else if (typeof told("version") === "string") host.met(told("version") as string);
  }

  tell(message: Message): void {
    if (!this.#isolated) this.#channel?.post(message);
  }

  /** Tells it even where this context is by itself. */
  shout(message: Message): void {
    if (!this.#alone || "inspected" in message) this.#channel?.post(message);
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
