// Go's own glue, wasm_exec.js. It is run when the first program is started, not when this script is loaded: it puts globals in place, which
// a server that only imports the package must not get.
declare const require: (path: string) => unknown; // the bundler's

export interface GoProgram {
  argv: string[];
  exited: boolean;
  importObject: WebAssembly.Imports;
  run(i: WebAssembly.Instance): Promise<void>;
  // its innards, as those of this toolchain are
  _resume(): void;
  _scheduledTimeouts: {
    has(id: number): boolean;
    get(id: number): ReturnType<typeof setTimeout> | undefined;
    set(id: number, timer: ReturnType<typeof setTimeout>): unknown;
    delete(id: number): boolean;
    values(): Iterable<ReturnType<typeof setTimeout>>;
  };
  _values?: unknown[];
}

export function Go(): new () => GoProgram {
  require("../../wasm_exec.js");
  return (globalThis as unknown as { Go: new () => GoProgram }).Go;
}

/** Ends a program that is not to be trusted any more: nothing wakes it up, and what it has open is let go of: connections to databases, which would
    hold up those who delete them, transactions, whose guards nobody asks any more, and requests. values are what it held of JavaScript. */
export function silence(go: GoProgram, values: readonly unknown[]): void {
  go._resume = () => {};
  for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
  // What is still on the stack may set more: the glue would call a program that does not answer for ever.
  go._scheduledTimeouts = { has: () => false, get: () => undefined, set: () => {}, delete: () => false, values: () => [] };
  for (const value of values) {
    try {
      // By name: those of a frame are of other classes.
      const kind = Object.prototype.toString.call(value);
      if (kind === "[object IDBTransaction]" || kind === "[object AbortController]") (value as AbortController).abort();
      else if (kind === "[object IDBDatabase]") (value as IDBDatabase).close();
    } catch {
      // it has ended
    }
  }
  // Listeners of the page hold the program; its memory they need not hold.
  setTimeout(() => {
    for (const name of ["_inst", "mem", "_values", "_ids", "_idPool", "_goRefCounts", "importObject"]) delete (go as unknown as { [name: string]: unknown })[name];
  });
}
