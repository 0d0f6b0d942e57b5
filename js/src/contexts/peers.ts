// What the contexts (tabs, workers) of a database tell one another. Only hints: what counts is read from the local log.

interface Host {
  /** The database was deleted, or is about to be, or after all is not. */
  destroyed(): void;
  destroying(yes: boolean): void;
  /** Somebody looks, or the network is back. */
  woken(): void;
  /** Something of the core. */
  core(message: Uint8Array): void;
  /** Something about a data stream. */
  data(message: { data: string }): void;
  /** Another context is of some version. */
  met(version: string): void;
  /** Somebody asks for the trace; null where there is none to give. */
  trace(): object | null;
}

export class Peers {
  #channel: BroadcastChannel | null = null;
  #isolated = false; // what is in memory of this context nobody else sees, and what others tell is not about it

  /** Begins to listen, and says of which version this context is. */
  listen(name: string, version: string, host: Host): void {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (e: MessageEvent<unknown>) => {
      const told = e.data as { data?: unknown; woken?: unknown; version?: unknown; destroyed?: unknown; destroying?: unknown } | null;
      if (told?.destroyed === true) host.destroyed();
      else if (typeof told?.destroying === "boolean") host.destroying(told.destroying);
      else if (this.#isolated) return;
      else if (told?.woken === true) host.woken();
      else if (e.data instanceof Uint8Array) host.core(e.data);
      else if (typeof told?.data === "string") host.data(told as { data: string });
      else if (typeof told?.version === "string") host.met(told.version);
      else if (e.data === "trace?") {
        const trace = host.trace();
        if (trace) this.#channel?.postMessage(trace);
      }
    };
    this.tell({ version });
  }

  tell(message: object): void {
    if (!this.#isolated) this.#channel?.postMessage(message);
  }

  /** Tells it even where this context is by itself. */
  shout(message: object): void {
    this.#channel?.postMessage(message);
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
