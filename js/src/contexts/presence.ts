// That a context is there: a lock that it holds as long as it is, so that the others learn when it goes, however it goes.

export class Presence {
  /** Its name among those of its database. */
  readonly id = crypto.randomUUID?.() ?? String(Math.random());
  readonly #prefix: string;
  readonly #watched = new Map<string, AbortController>();
  #leave: (() => void) | null = null;

  constructor(shared: string) {
    this.#prefix = `${shared}/here/`;
  }

  /** Says that this context is there. */
  show(): void {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (!locks || this.#leave) return;
    const gone = new Promise<void>((resolve) => (this.#leave = resolve));
    locks.request(this.#prefix + this.id, () => gone).catch(() => {});
  }

  /** Says that it goes, or is about to be frozen: nobody waits for a frozen page. */
  hide(): void {
    this.#leave?.();
    this.#leave = null;
  }

  /** Calls gone when another context has gone. */
  watch(id: string, gone: () => void): void {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (!locks || id === this.id || this.#watched.has(id)) return;
    const abort = new AbortController();
    this.#watched.set(id, abort);
    const left = () => {
      if (this.#watched.delete(id)) gone();
    };
    locks.request(this.#prefix + id, { signal: abort.signal }, left).catch(() => {});
  }

  /** Waits for nobody any more. */
  forget(): void {
    for (const abort of this.#watched.values()) abort.abort();
    this.#watched.clear();
  }
}
