// Background Sync: where the browser has it, and the app a service worker, what is unsent goes out after the page is closed.

interface WithSync {
  sync?: { register(tag: string): Promise<void> };
}

export class Background {
  readonly #tag: string;
  #registration: WithSync | undefined;

  constructor(tag: string) {
    this.#tag = tag;
    // It is looked up now: when the page goes there is no time for that.
    void this.#find().catch(() => {});
  }

  async #find(): Promise<WithSync | undefined> {
    if (!globalThis.document || !("serviceWorker" in navigator)) return;
    return (this.#registration = (await navigator.serviceWorker.ready) as WithSync);
  }

  /** Asks for a wake-up of the service worker when there is a network. It is a bonus: nothing is missing where it fails. */
  register(): void {
    const ask = (r: WithSync | undefined) => r?.sync?.register(this.#tag);
    (this.#registration ? Promise.resolve(ask(this.#registration)) : this.#find().then(ask)).catch(() => {}); // forbidden, or in private
  }
}
