// The program of the test server: loaded once, it serves any number of them.
import { holds, newProgram, run } from "../program/glue.js";

declare const __TESTSERVER__: string; // packed with gzip; the build puts the name in

/** What a server asks of its test. */
export interface Hooks {
  /** Names who bears a token; null refuses it. */
  subject(token: string): string | null;
  /** Why an action, as JSON, is refused; null where it is not. */
  refusal(subject: string, stream: string, action: string): string | null;
}

/** Where an answer goes. */
export interface Out {
  head(status: number, headers: string[]): void;
  piece(bytes: Uint8Array): void;
  /** cut: in the middle. */
  end(cut: boolean): void;
}

export interface Server {
  /** headers are names and values in turn. What it gives ends the request. */
  fetch(method: string, path: string, headers: string[], body: Uint8Array, out: Out): () => void;
  close(): void;
}

interface Host {
  ready(): void;
  create(hooks: Hooks): Server;
}

let loading: Promise<Host> | undefined;

/** The running program. */
export function program(): Promise<Host> {
  return (loading ??= start());
}

async function start(): Promise<Host> {
  const go = newProgram();
  const { instance } = await WebAssembly.instantiate(await unpacked(new URL(__TESTSERVER__, import.meta.url)), go.importObject);
  const name = `strandline-test-${Math.random().toString(36).slice(2)}`;
  const scope = globalThis as unknown as { [name: string]: unknown };
  return new Promise((resolve, reject) => {
    const host = { ready: () => resolve(host) } as Host;
    scope[name] = host;
    go.argv = ["strandline-test", name];
    holds(go, false); // who waits for the server waits by himself
    run(go, instance).then(() => reject(new Error("the test server has ended")), reject);
  }).finally(() => delete scope[name]) as Promise<Host>;
}

async function unpacked(url: URL): Promise<BufferSource> {
  const packed = url.protocol === "file:" ? new Blob([await file(url)]) : await (await fetch(url)).blob();
  return new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Node does not fetch files. */
async function file(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const fs = "node:fs/promises"; // bundlers for pages are not to look for it
  return ((await import(/* @vite-ignore */ /* webpackIgnore: true */ fs)) as typeof import("node:fs/promises")).readFile(url);
}
