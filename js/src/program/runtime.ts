// The wasm program and the border to it. Hot calls are exports over one buffer of bytes; cold ones are functions that the
// program puts on the host object. Nothing here calls an app.
import { errorOf, RestartedError, SyncError, type Problem } from "../values/errors.js";
import type { WasmSource } from "../values/options.js";
import { newProgram, run, silence, type GoProgram } from "./glue.js";
import { Memory } from "./memory.js";

declare const __STAMP__: string; // of the build that this script and its wasm are of; the build puts it in

type Export = (...args: number[]) => number;

interface Exports {
  mem: WebAssembly.Memory;
  strandline_header: Export;
  strandline_input: Export;
  strandline_write: Export;
  strandline_transact: Export;
  strandline_check: Export;
  strandline_new_id: Export;
  strandline_row: Export;
  strandline_changes: Export;
  strandline_known: Export;
  strandline_proof: Export;
  strandline_pending_ids: Export;
  strandline_pending: Export;
  strandline_is_pending: Export;
  strandline_status: Export;
  strandline_again: Export;
  strandline_group: Export;
  strandline_undoable: Export;
  strandline_writable: Export;
  strandline_rejected: Export;
  strandline_conflicts: Export;
}

type Done = (error: Problem | null) => void;

/** One turn of the loop in this context: when (Unix milliseconds), how long (milliseconds), why, and what came of it. */
export type WakeUp = { at: number; took: number; because: string; fetched: number; persisted: number; rejected: number; code: string; data: string };

/** The cold functions. */
interface Host {
  ready(stamp: string): void;
  panicked(message: string, stack: string): void;
  pump(): void;
  open(options: object, hooks: object, done: (error: Problem | null, handle: number, life: string, why: Problem | null) => void): void;
  stream(db: number, name: string, conflictFree: boolean | null, conflicts: number, observer: object, done: (error: Problem | null, handle: number, client: string, conflictFree: boolean) => void): void;
  lacking(stream: number, lack: number): void;
  closeStream(stream: number, done: () => void): void;
  close(db: number, done: Done): void;
  destroy(db: number, force: boolean, done: Done): void;
  settled(stream: number, done: () => void): void;
  persisted(stream: number, id: string, done: (error: Problem | null, index: number, rejected?: string | null) => void): void;
  discard(stream: number, id: string, done: Done): void;
  sync(db: number, done: Done): void;
  entryDurable(db: number, stream: string, entry: string): void;
  hear(db: number, message: Uint8Array): void;
  answered(db: number, op: number, body: Uint8Array, wait: number, problem: object | null): void;
  hinted(db: number, op: number, stream: string, head: number, data: string, offset: string): void;
  hintsEnded(db: number, op: number, problem: object | null): void;
  data(db: number, name: string, own: boolean, done: (error: Problem | null, id: number) => void): void;
  closeData(db: number, id: number): void;
  queued(db: number, name: string, pending: number, wrote: boolean, own: boolean): void;
  worked(db: number, op: number, sent: number, fetched: number, refused: number, pending: number, offset: string, more: boolean, wait: number, problem: object | null, alone: boolean): void;
  gone(db: number): void;
  lead(db: number, yes: boolean): void;
  freeze(db: number, yes: boolean): void;
  wake(db: number, because: string): void;
  offline(db: number): void;
  streams(db: number, done: (error: Problem | null, names: string[]) => void): void;
  trace(db: number, each: (turn: WakeUp) => void): void;
}

const CALLS = 7; // in the header: how many exports have come to their end

const maxInput = 64 << 20; // far above every limit of the core, which says what is wrong more exactly

export const OK = 0;
export const ABSENT = 1;
const ERROR = 2;

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

/** Who uses a program, and goes on in another one. */
export interface RuntimeUser {
  /** Whether something is under way that another program would do anew. */
  readonly busy: boolean;
  /** Takes what it does not have yet: the program is about to be replaced. */
  take(): void;
}

/** One running program. */
export class Runtime {
  readonly host = {} as Host;
  /** Hears that the program has died; called once. */
  readonly onDeath = new Set<(e: SyncError) => void>();
  exports!: Exports;
  memory!: Memory;
  /** Who uses it. */
  readonly users = new Set<RuntimeUser>();
  /** What an export left: output address, its length, whether more follows, whether it begins a whole, ticket; and how many have ended. */
  header!: Uint32Array;

  /** Of the build that the program is of. */
  stamp = "";

  readonly #go: GoProgram;
  #dead: SyncError | null = null;
  #values: readonly unknown[] = [];
  #headerAt = 0;
  #calls = 0; // of exports: the program counts those that came to their end
  #inputAt = 0;
  #inputSize = 0; // the program keeps the room that it gave
  #pumping = false;
  #bytes!: Uint8Array;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  constructor(go: GoProgram) {
    this.#go = go;
  }

  begin(exports: Exports, stamp: string): void {
    this.stamp = stamp;
    this.#values = this.#go._values ?? []; // the glue forgets them when the program exits
    // An exception out of an export (a trap, an exhausted stack) has left the program in the middle of something; and so has one that
    // came back before its end, because something in it blocked.
    const guarded = { mem: exports.mem } as unknown as { [name: string]: unknown };
    for (const [name, f] of Object.entries(exports)) {
      if (typeof f !== "function" || !name.startsWith("strandline_")) continue;
      const call = f as Export;
      guarded[name] = (...args: number[]) => {
        const ended = ++this.#calls;
        let status: number;
        try {
          status = call(...args);
        } catch (e) {
          this.die(String(e));
          throw this.#dead;
        }
        if (this.header[CALLS] === undefined) this.#views(); // the memory has grown
        if (this.header[CALLS] !== ended >>> 0 && status >= 0) {
          this.die(`${name} blocked`);
          throw this.#dead;
        }
        return status;
      };
    }
    this.exports = guarded as unknown as Exports;
    this.#headerAt = exports.strandline_header() >>> 0;
    this.#views();
    this.#calls = this.header[CALLS]!;
    this.memory = new Memory(() => this.bytes);
  }

  die(message: string, stack?: string): void {
    if (this.#dead) return;
    this.end(new RestartedError({ code: "restarted", message: `restarted: the runtime stopped: ${message}`, retryable: true }, stack));
  }

  /** Ends the program: it does nothing more, and holds nothing that others wait for. */
  end(why: SyncError = new RestartedError({ code: "restarted", message: "restarted: another runtime takes its place", retryable: true })): void {
    this.#dead = why;
    silence(this.#go, this.#values);
    const hear = [...this.onDeath];
    this.onDeath.clear();
    for (const f of hear) f(why);
  }

  /** Whether it can be called. */
  get live(): boolean {
    return !this.#dead && !this.#go.exited;
  }

  /** Bytes of linear memory. */
  get bytes(): number {
    return this.exports.mem.buffer.byteLength;
  }

  #views(): void {
    const buffer = this.exports.mem.buffer;
    this.#bytes = new Uint8Array(buffer);
    this.header = new Uint32Array(buffer, this.#headerAt, 8);
  }

  /** Throws once the program has died. Every call goes through here. */
  alive(): void {
    if (this.#go.exited) this.die("the program has exited");
    if (this.#dead) throw this.#dead;
    if (this.#bytes.buffer !== this.exports.mem.buffer) this.#views(); // memory has grown
  }

  /** Makes room for n bytes of input and gives where it begins. */
  #room(n: number): number {
    this.alive();
    if (n > this.#inputSize) {
      this.#inputAt = this.exports.strandline_input(n) >>> 0;
      this.alive(); // the memory may have grown: the header is read through a new view
      this.#inputSize = this.header[2]!;
    }
    return this.#inputAt;
  }

  /** Puts a text into the input and gives its length in bytes. */
  input(text: string): number {
    const room = text.length * 3; // at most: of UTF-8 for each UTF-16 code unit
    if (room > maxInput) throw errorOf({ code: "too-large", message: "too-large: more than any action may hold" });
    const at = this.#room(room);
    return this.#encoder.encodeInto(text, this.#bytes.subarray(at, at + room)).written;
  }

  /** Puts an id of 36 ASCII characters into the input; false for anything else. */
  inputID(id: unknown): boolean {
    if (typeof id !== "string" || id.length !== 36) return false;
    let at = this.#room(36);
    const bytes = this.#bytes;
    for (let i = 0; i < 36; i++) {
      const code = id.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    return true;
  }

  /** The status of an export; an error is thrown. */
  status(code: number): number {
    this.alive();
    if (code === ERROR) throw errorOf(JSON.parse(this.text()) as Problem);
    if (code < 0) throw this.#dead ?? new SyncError({ code: "internal", message: "the runtime stopped" });
    return code;
  }

  text(): string {
    this.alive();
    return this.#decoder.decode(this.#bytes.subarray(this.header[0]!, this.header[0]! + this.header[1]!));
  }

  /** The output where it is known to be a few ASCII characters. */
  ascii(): string {
    this.alive();
    return String.fromCharCode.apply(null, this.#bytes.subarray(this.header[0]!, this.header[0]! + this.header[1]!) as unknown as number[]);
  }

  /** Lets the program go on with what the exports of this tick have left. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // Who has awaited a promise that is settled goes on first: what he writes then is in the same transaction.
    let turns = 10;
    const pump = () => {
      if (turns-- > 0) return queueMicrotask(pump);
      this.#pumping = false;
      try {
        this.alive();
        this.host.pump();
      } catch (e) {
        this.die(String(e)); // it has been told already where it died before
      }
    };
    pump();
  }
}
