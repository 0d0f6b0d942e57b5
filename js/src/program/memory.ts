// When a program has more memory than it needs: linear memory never shrinks. What it takes while stored streams are read, it needs; what it takes
// later may have been for a moment.

const least = 256 << 20; // bytes with which nobody minds what is waste

export class Memory {
  readonly #now: () => number;
  #needed: number; // bytes
  #counted: number; // bytes, up to which is counted
  #reading = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#needed = this.#counted = now();
  }

  /** A stored stream is read: gives what is called when it is there. */
  reading(): () => void {
    if (this.#reading++ === 0) this.#counted = this.#now();
    return () => {
      const now = this.#now();
      this.#needed += now - this.#counted;
      this.#counted = now;
      this.#reading--;
    };
  }

  /** Whether another program would do with much less. */
  get wasted(): boolean {
    return this.#reading === 0 && this.#now() >= Math.max(least, 3 * this.#needed);
  }
}
