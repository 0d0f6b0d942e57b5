// How fields that are not JSON are kept.
import { invalid } from "./errors.js";

export interface Codec {
  encode(value: never): unknown;
  decode(json: never): unknown;
  /** Whether what encode gives is in the order of the values. */
  readonly ordered?: boolean;
}

const text = (json: unknown, what: string): string => {
  if (typeof json !== "string") throw invalid("", `is kept as no ${what}`);
  return json;
};

export const date: Codec = {
  encode: (value: Date) => {
    if (!(value instanceof Date) || !/^\d{4}-/.test(Number.isNaN(+value) ? "" : value.toISOString())) throw invalid("", "is no date of the years 0 to 9999");
    return value.toISOString();
  },
  decode: (json) => {
    const value = new Date(text(json, "date"));
    if (Number.isNaN(+value)) throw invalid("", "is kept as no date");
    return value;
  },
  ordered: true,
};

export const bigint: Codec = {
  encode: (value: bigint) => {
    if (typeof value !== "bigint") throw invalid("", "is no bigint");
    return String(value);
  },
  decode: (json) => BigInt(text(json, "bigint")),
};

export const bytes: Codec = {
  encode: (value: Uint8Array) => {
    if (!(value instanceof Uint8Array)) throw invalid("", "is no Uint8Array");
    let all = "";
    for (let i = 0; i < value.length; i += 8192) all += String.fromCharCode(...value.subarray(i, i + 8192));
    return btoa(all);
  },
  decode: (json) => Uint8Array.from(atob(text(json, "bytes")), (c) => c.charCodeAt(0)),
};
