// Ids that are made here, while there is no program that makes them.
let last = 0;
let counter = 0;

/** A version 7 UUID (RFC 9562): Unix milliseconds, a counter within them that keeps the order, and 62 random bits. */
export function newID(now = Date.now()): string {
  const random = crypto.getRandomValues(new Uint8Array(10));
  if (now > last) [last, counter] = [now, ((random[8]! << 8) | random[9]!) & 0x3ff];
  else if (++counter > 0xfff) [last, counter] = [last + 1, 0];
  random[0] = (random[0]! & 0x3f) | 0x80;
  const hex = (n: number, digits: number) => n.toString(16).padStart(digits, "0");
  const rest = [...random.subarray(0, 8)].map((b) => hex(b, 2)).join("");
  const at = hex(last, 12);
  return `${at.slice(0, 8)}-${at.slice(8)}-7${hex(counter, 3)}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}
