// A database's place in a program.
import type { Runtime } from "../program/runtime.js";

export class Seat {
  #left = false; // the program was told to let go of it

  constructor(
    readonly runtime: Runtime,
    readonly handle: number,
  ) {}

  get host(): Runtime["host"] {
    return this.runtime.host;
  }

  /** The program is told to let go of it, or to delete it. */
  leaving(yes = true): void {
    this.#left = yes;
  }

  /** Lets go of it, where nobody has said so. */
  leave(): void {
    if (this.#left) return;
    try {
      this.runtime.alive();
      this.host.close(this.handle, () => {});
      this.#left = true;
    } catch {
      // it is dead
    }
  }
}
