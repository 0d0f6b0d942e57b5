export const maxTimer = 2 ** 31 - 1; // milliseconds of a browser's timer, at most: 24 days

/** Calls a function in a task of its own. */
export const later = (fn: () => void, ms = 0): void => void setTimeout(fn, ms);
