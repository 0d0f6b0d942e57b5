export const maxTimer = 2 ** 31 - 1; // milliseconds of a browser's timer, at most: 24 days
