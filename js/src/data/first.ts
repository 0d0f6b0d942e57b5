// Who waits for the first turn of a stream that was never fetched: what is nowhere but on the server is not "nothing".

const limit = 3000; // milliseconds that a first read waits for the server

export class First {
  readonly #waiting = new Set<() => void>();

  /** Resolves when that turn has ended, however it ended. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limit);
      this.#waiting.add(done);
    });
  }

  release(): void {
    for (const done of this.#waiting) done();
  }
}
