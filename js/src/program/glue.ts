// Go's own glue, wasm_exec.js. It is run when the first program is started, not when this script is loaded. It puts globals in place, which libraries
// ask to find out where they run: a page sees them at no time.
declare const require: (path: string) => unknown; // the bundler's

export interface GoProgram {
  argv: string[];
  exited: boolean;
  mem: DataView;
  _inst: WebAssembly.Instance;
  importObject: WebAssembly.Imports;
  run(i: WebAssembly.Instance): Promise<void>;
  // its innards, as those of this toolchain are
  _resume(): void;
  _scheduledTimeouts: {
    has(id: number): boolean;
    get(id: number): ReturnType<typeof setTimeout> | undefined;
    set: (id: number, timer: ReturnType<typeof setTimeout>) => unknown;
    delete(id: number): boolean;
    values(): Iterable<ReturnType<typeof setTimeout>>;
  };
  _values?: unknown[];
}

const globals = globalThis as unknown as { [name: string]: unknown };
const own: { [name: string]: unknown } = {}; // what the glue has put there and the page had not
let Go: (new () => GoProgram) | undefined;

/** What f does with the glue's globals in place. */
function within<T>(f: () => T): T {
  const names = ["Go", "fs", "path", "process"].filter((name) => globals[name] === undefined);
  for (const name of names) if (name in own) globals[name] = own[name];
  try {
    return f();
  } finally {
    for (const name of names) {
      own[name] = globals[name];
      delete globals[name];
    }
  }
}

/** A program that has not begun. */
export function newProgram(): GoProgram {
  Go ??= within(() => {
    require("../../../wasm_exec.js");
    return globals.Go as new () => GoProgram;
  });
  const go = new Go();
  // The glue's own asks for the global fs whenever the program prints.
  const fs = (own.fs ?? globals.fs) as { writeSync(fd: number, bytes: Uint8Array): number };
  go.importObject.gojs!["runtime.wasmWrite"] = (sp: number) => {
    const at = (sp >>> 0) + 8, { mem } = go;
    const int64 = (i: number) => mem.getUint32(i, true) + mem.getInt32(i + 4, true) * 2 ** 32;
    fs.writeSync(int64(at), new Uint8Array(mem.buffer, int64(at + 8), mem.getInt32(at + 16, true)));
  };
  return go;
}

type Timer = { ref?(): void; unref?(): void }; // Node's; browsers' are numbers

/** Says whether Node's process lives as long as a program has timers. */
export function holds(go: GoProgram, yes: boolean): void {
  const timers = go._scheduledTimeouts, hold = (timer: Timer) => (yes ? timer.ref?.() : timer.unref?.());
  for (const timer of timers.values()) hold(timer as Timer);
  timers.set = (id, timer) => {
    hold(timer as Timer);
    return Map.prototype.set.call(timers, id, timer) as unknown;
  };
}

/** Runs it. What it asks of the globals it asks before it waits for the first time. */
export const run = (go: GoProgram, instance: WebAssembly.Instance): Promise<void> => within(() => go.run(instance));

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
