// Where what goes wrong is told: to the app, or on the console.
import type { LogEntry } from "./options.js";

/** Makes a function that tells an entry to the app's own, if there is one that does not throw. */
export const logTo = (own: ((entry: LogEntry) => void) | undefined) => (entry: LogEntry): void => {
  try {
    if (own) return own(entry);
  } catch {
    // the console is left
  }
  console[entry.level](`strandline: ${entry.message}`, entry.cause ?? "");
};
