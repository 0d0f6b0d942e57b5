// A channel between contexts of one origin, of messages of one type. All of it are hints: what counts is read where it is stored.

export class Channel<M> {
  readonly #channel: BroadcastChannel | null;

  /** hear is told what the others post: a context of another version may say what its type does not know. Nothing is heard where the browser has no such channels. */
  constructor(name: string, hear: (message: M) => void) {
    this.#channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
    (this.#channel as { unref?(): void } | null)?.unref?.(); // Node would not end
    if (this.#channel) this.#channel.onmessage = (e: MessageEvent<M>) => hear(e.data);
  }

  /** Tells all others. */
  post(message: M): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
  }
}
