// The border to a program: hot calls are exports over one buffer of bytes. Nothing here calls an app.
import { errorOf, SyncError, type Problem } from "../values/errors.js";

type Export = (...args: number[]) => number;

export interface Exports {
  mem: WebAssembly.Memory;
  strandline_header: Export;
  strandline_input: Export;
  strandline_write: Export;
  strandline_transact: Export;
  strandline_check: Export;
  strandline_preview: Export;
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
  strandline_resets: Export;
}

const CALLS = 7; // in the header: how many exports have come to their end

const maxInput = 64 << 20; // far above every limit of the core, which says what is wrong more exactly

export const OK = 0;
export const ABSENT = 1;
const ERROR = 2;

/** The program. */
interface Of {
  /** Throws once it has died. */
  alive(): void;
  /** It has died; gives the error that says so. */
  die(message: string): SyncError;
}

export class Border {
  readonly exports: Exports;
  /** What an export left: output address, its length, whether more follows, whether it begins a whole, ticket; and how many have ended. */
  header!: Uint32Array;
  readonly #of: Of;
  readonly #headerAt: number;
  #calls: number; // of exports: the program counts those that came to their end
  #inputAt = 0;
  #inputSize = 0; // the program keeps the room that it gave
  #bytes!: Uint8Array;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  constructor(exports: Exports, of: Of) {
    this.#of = of;
    // An exception out of an export (a trap, an exhausted stack) has left the program in the middle of something; and so has one that
    // came back before its end, because something in it blocked.
    const guarded = { mem: exports.mem } as unknown as { [name: string]: unknown };
    for (const [name, f] of Object.entries(exports)) {
      if (typeof f === "function" && name.startsWith("strandline_")) guarded[name] = this.#guard(name, f as Export);
    }
    this.exports = guarded as unknown as Exports;
    this.#headerAt = exports.strandline_header() >>> 0;
    this.#views();
    this.#calls = this.header[CALLS]!;
  }

  #guard(name: string, call: Export): Export {
    return (...args) => {
      const ended = ++this.#calls;
      let status: number;
      try {
        status = call(...args);
      } catch (e) {
        throw this.#of.die(String(e));
      }
      if (this.header[CALLS] === undefined) this.#views(); // the memory has grown
      if (this.header[CALLS] !== ended >>> 0 && status >= 0) throw this.#of.die(`${name} blocked`);
      return status;
    };
  }

  /** Bytes of linear memory. */
  get size(): number {
    return this.exports.mem.buffer.byteLength;
  }

  #views(): void {
    const buffer = this.exports.mem.buffer;
    this.#bytes = new Uint8Array(buffer);
    this.header = new Uint32Array(buffer, this.#headerAt, 8);
  }

  /** Throws once the program has died. Every call goes through here. */
  #alive(): void {
    this.#of.alive();
    if (this.#bytes.buffer !== this.exports.mem.buffer) this.#views(); // memory has grown
  }

  /** Makes room for n bytes of input and gives where it begins. */
  #room(n: number): number {
    this.#alive();
    if (n > this.#inputSize) {
      this.#inputAt = this.exports.strandline_input(n) >>> 0;
      this.#alive(); // the memory may have grown: the header is read through a new view
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
    this.#alive();
    if (code === ERROR) throw errorOf(JSON.parse(this.text()) as Problem);
    if (code < 0) throw new SyncError({ code: "internal", message: "the runtime stopped" });
    return code;
  }

  text(): string {
    this.#alive();
    return this.#decoder.decode(this.#bytes.subarray(this.header[0]!, this.header[0]! + this.header[1]!));
  }

  /** The output where it is known to be a few ASCII characters. */
  ascii(): string {
    this.#alive();
    return String.fromCharCode.apply(null, this.#bytes.subarray(this.header[0]!, this.header[0]! + this.header[1]!) as unknown as number[]);
  }
}
