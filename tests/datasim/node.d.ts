// What the simulation uses of Node.
declare const process: {
  argv: string[];
  stdin: { setEncoding(encoding: string): void; on(event: "data", f: (text: string) => void): void };
  stdout: { write(text: string): void };
  on(event: "unhandledRejection", f: (e: unknown) => void): void;
  exit(code: number): never;
};
declare const Buffer: { from(data: string | Uint8Array, encoding?: "base64"): Uint8Array<ArrayBuffer> & { toString(encoding?: "base64"): string } };
declare function setImmediate(f: (value: unknown) => void): unknown;
