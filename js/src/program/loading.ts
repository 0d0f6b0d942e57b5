// Where programs come from: fetched, compiled and started, one for a page and source.
import type { Exports } from "./border.js";
import { newProgram, run } from "./glue.js";
import { Runtime } from "./runtime.js";
import { SyncError } from "../values/errors.js";
import type { WasmSource } from "../values/options.js";

declare const __STAMP__: string; // of the build that this script and its wasm are of; the build puts it in

let own: (() => WasmSource | Promise<WasmSource>) | undefined;
/** Says where the wasm is when nobody else does: beside the script, or in it. */
export function setWasm(where: () => WasmSource | Promise<WasmSource>): void {
  own = where;
}

const loading = new Map<unknown, Promise<Runtime>>();
const modules = new Map<unknown, WebAssembly.Module>(); // what is restarted needs no network

/** The running program of a source; one per page and source. A load that failed is tried anew by the next call, and so is one whose
    program has died. */
export function load(source?: WasmSource): Promise<Runtime> {
  const key = source instanceof URL ? source.href : source ?? "";
  let runtime = loading.get(key);
  if (!runtime) {
    runtime = spares.get(key) ?? start(source, key);
    spares.delete(key);
    loading.set(key, runtime);
    const forget = () => loading.delete(key);
    runtime.then((r) => r.onDeath.add(forget), forget);
  }
  return runtime;
}

const spares = new Map<unknown, Promise<Runtime>>();

/** Starts another program of a source, which takes the place of the running one when that has ended. */
export function spare(source?: WasmSource): Promise<Runtime> {
  const key = source instanceof URL ? source.href : source ?? "";
  let runtime = spares.get(key);
  if (!runtime) {
    runtime = start(source, key);
    spares.set(key, runtime);
    const forget = () => spares.delete(key);
    runtime.then((r) => r.onDeath.add(forget), forget);
  }
  return runtime;
}

async function start(source: WasmSource | undefined, key: unknown): Promise<Runtime> {
  let runtime = await begin(source, key);
  if (runtime.stamp !== __STAMP__ && (source === undefined || typeof source === "string" || source instanceof URL)) {
    // A cache may have kept the one of another build.
    modules.delete(key);
    runtime.end();
    runtime = await begin(source, key, "reload");
  }
  if (runtime.stamp === __STAMP__) return runtime;
  modules.delete(key);
  runtime.end();
  throw new SyncError({ code: "upgrade", message: "upgrade: script and WebAssembly are of two builds; load the app anew" });
}

async function begin(source: WasmSource | undefined, key: unknown, cache: RequestCache = "default"): Promise<Runtime> {
  const go = newProgram();
  const known = modules.get(key);
  const { module, instance } = await instantiate(known ?? source ?? (await ownWasm()), go.importObject, cache);
  modules.set(key, module);
  return new Promise((resolve, reject) => {
    const name = `strandline-host-${Math.random().toString(36).slice(2)}`;
    const scope = globalThis as unknown as { [name: string]: unknown };
    const runtime = new Runtime(go);
    const host = runtime.host;
    host.ready = (stamp) => {
      delete scope[name];
      runtime.begin(instance.exports as unknown as Exports, stamp);
      resolve(runtime);
    };
    host.panicked = (message, stack) => runtime.die(message, stack);
    scope[name] = host;
    go.argv = ["strandline", name];
    run(go, instance).then(
      () => {
        reject(wasmError("the program ended before it was ready"));
        runtime.die("the program ended");
      },
      (e: unknown) => {
        reject(wasmError("the program did not start", e));
        runtime.die(String(e));
      },
    );
  });
}

function ownWasm(): WasmSource | Promise<WasmSource> {
  if (!own) throw wasmError("say where strandline.wasm is with the option wasm");
  return own();
}

const wasmError = (message: string, cause?: unknown) => new SyncError({ code: "wasm", message: `wasm: ${message}`, retryable: true }, cause);

type Program = WebAssembly.WebAssemblyInstantiatedSource;

/** It is no WebAssembly, a policy forbids it, or there is no room: the browser says which. */
const cannotRun = (what: string, e: unknown) => wasmError(`${what} cannot be run: ${e instanceof Error ? e.message : String(e)}`, e);

async function instantiate(source: WasmSource, imports: WebAssembly.Imports, cache: RequestCache): Promise<Program> {
  let bytes: BufferSource | WebAssembly.Module;
  if (typeof source === "string" || source instanceof URL || source instanceof Response) {
    const response = source instanceof Response ? source : await fetchWasm(source, cache);
    const where = source instanceof Response ? response.url : String(source);
    if (!response.ok) throw wasmError(`${where} could not be fetched: status ${response.status}`);
    const streaming = "instantiateStreaming" in WebAssembly && (response.headers.get("Content-Type") ?? "").startsWith("application/wasm");
    try {
      if (streaming) return await WebAssembly.instantiateStreaming(response, imports);
      bytes = await response.arrayBuffer();
    } catch (e) {
      throw cannotRun(where, e);
    }
  } else {
    bytes = source;
  }
  try {
    if (bytes instanceof WebAssembly.Module) return { module: bytes, instance: await WebAssembly.instantiate(bytes, imports) };
    return await WebAssembly.instantiate(bytes, imports);
  } catch (e) {
    throw cannotRun("the program given", e);
  }
}

/** Fetches it. A service worker's own requests do not pass through its handler: without a network it looks into the caches by itself. */
async function fetchWasm(url: string | URL, cache: RequestCache): Promise<Response> {
  try {
    return await fetch(url, { cache });
  } catch (e) {
    const kept = await globalThis.caches?.match(url).catch(() => undefined);
    if (kept) return kept;
    throw wasmError(`${String(url)} could not be fetched`, e);
  }
}
