// Reading what is stored anew: once at a time, again where somebody asks meanwhile, and later where it fails.

const later = 1000; // milliseconds after which what could not be read is read again

export class Refresh {
  readonly #read: () => Promise<void>;
  readonly #failed: (e: unknown) => boolean;
  #run: { again: boolean; done: Promise<void> } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** failed says whether it is to be tried again, or throws. */
  constructor(read: () => Promise<void>, failed: (e: unknown) => boolean) {
    this.#read = read;
    this.#failed = failed;
  }

  /** Whether it is being read. */
  get busy(): boolean {
    return this.#run !== null;
  }

  /** Resolves when what was stored by now has been read, or that has failed. */
  now(): Promise<void> {
    if (this.#run) {
      this.#run.again = true;
      return this.#run.done;
    }
    const run = (this.#run = { again: false, done: Promise.resolve() });
    run.done = (async () => {
      do {
        run.again = false;
        await this.#read().catch((e: unknown) => {
          clearTimeout(this.#timer);
          if (this.#failed(e)) this.#timer = setTimeout(() => void this.now(), later);
        });
      } while (run.again);
      this.#run = null;
    })().catch((e: unknown) => {
      this.#run = null;
      throw e;
    });
    return run.done;
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
