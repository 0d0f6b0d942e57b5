// The way to the server, as far as sizes are concerned. Whatever stands in front of it may refuse a request for its size with any answer, at any size, and at
// another one tomorrow: what went is remembered, what failed is made smaller, and grown slowly.
import type { Failure } from "../server/failure.js";

const usual = 768 << 10; // bytes of a request: less than a mebibyte with all that stands around it, which is what proxies let through by default
const smallest = 2 << 10; // nobody refuses that for its size

/** Failures that may be about the size. */
const sizes = new Set(["unreachable", "timeout", "bad-answer", "internal", "unavailable", "too-large"]);

export class Way {
  /** Bytes that a request may have. */
  room = usual;
  #went = 0; // the largest request that went through, as far as that still holds

  /** A request of so many bytes went through. */
  ok(size: number): void {
    this.#went = Math.max(this.#went, size);
    if (size > (this.room * 3) / 4) this.room = Math.min(usual, this.room + (this.room < this.#went ? Math.min(this.room, this.#went - this.room) : this.room >> 3));
  }

  /** A request of so many bytes failed. Gives whether one that holds less is worth a try. */
  failed(size: number, f: Failure): boolean {
    if (size <= smallest || !sizes.has(f.code)) return false;
    this.room = Math.max(smallest, Math.min(this.room, size) >> 1);
    if (f.code !== "unreachable") this.#went = Math.min(this.#went, this.room); // else the line was not there: its size says nothing for later
    return true;
  }
}
