// One running program: what is called of it seldom, functions that it puts on the host object; who uses it, and how it ends. Nothing here calls an app.
import { Border, type Exports } from "./border.js";
import { holds, silence, type GoProgram } from "./glue.js";
import { Memory } from "./memory.js";
import { RestartedError, type Problem, type SyncError } from "../values/errors.js";

type Done = (error: Problem | null) => void;

/** One turn of the loop in this context: when (Unix milliseconds), how long (milliseconds), why, of which streams, what came of it, and what it cost. */
export type WakeUp = {
  at: number; took: number; because: string; fetched: number; persisted: number; rejected: number; code: string; data: string; streams: string; status: number; bytes: number;
};

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
  repair(stream: number, done: Done): void;
  inOrder(stream: number, types: string): void;
  sync(db: number, done: Done): void;
  entryDurable(db: number, stream: string, entry: string): void;
  hear(db: number, message: Uint8Array): void;
  answered(db: number, op: number, body: Uint8Array, wait: number, problem: object | null, status: number, bytes: number): void;
  hinted(db: number, op: number, stream: string, head: number, data: string, offset: string): void;
  hintsEnded(db: number, op: number, problem: object | null): void;
  data(db: number, name: string, own: boolean, done: (error: Problem | null, id: number) => void): void;
  closeData(db: number, id: number): void;
  queued(db: number, name: string, pending: number, wrote: boolean, own: boolean): void;
  worked(db: number, op: number, sent: number, fetched: number, refused: number, pending: number, offset: string, more: boolean, wait: number, problem: object | null, alone: boolean, status: number, bytes: number): void;
  gone(db: number): void;
  lead(db: number, yes: boolean): void;
  freeze(db: number, yes: boolean): void;
  wake(db: number, because: string): void;
  offline(db: number): void;
  streams(db: number, done: (error: Problem | null, names: string[]) => void): void;
  bundle(db: number, name: string, redact: boolean, done: (error: Problem | null, stored: Uint8Array, stand: string | null) => void): void;
  trace(db: number, each: (turn: WakeUp) => void): void;
}

/** Who uses a program, and goes on in another one. */
export interface RuntimeUser {
  /** Whether something is under way that another program would do anew. */
  readonly busy: boolean;
  /** Takes what it does not have yet: the program is about to be replaced. */
  take(): void;
}

export class Runtime {
  readonly host = {} as Host;
  /** The hot calls. */
  border!: Border;
  /** Hears that the program has died; called once. */
  readonly onDeath = new Set<(e: SyncError) => void>();
  memory!: Memory;
  readonly #users = new Set<RuntimeUser>();
  /** Of the build that the program is of. */
  stamp = "";

  readonly #go: GoProgram;
  #dead: SyncError | null = null;
  #told = false; // that it has
  #values: readonly unknown[] = [];
  #pumping = false;

  constructor(go: GoProgram) {
    this.#go = go;
  }

  begin(exports: Exports, stamp: string): void {
    this.stamp = stamp;
    this.#values = this.#go._values ?? []; // the glue forgets them when the program exits
    this.border = new Border(exports, this);
    this.memory = new Memory(() => this.border.size);
  }

  /** Who uses it. */
  get users(): ReadonlySet<RuntimeUser> {
    return this.#users;
  }

  join(user: RuntimeUser): void {
    this.#users.add(user);
    if (this.#users.size === 1) holds(this.#go, true);
  }

  leave(user: RuntimeUser): void {
    if (this.#users.delete(user) && this.#users.size === 0) holds(this.#go, false);
  }

  die(message: string, stack?: string): SyncError {
    if (!this.#dead) this.end(new RestartedError({ code: "restarted", message: `restarted: the runtime stopped: ${message}`, retryable: true }, stack));
    return this.#dead!;
  }

  /** Ends the program: it does nothing more, and holds nothing that others wait for. */
  end(why: SyncError = new RestartedError({ code: "restarted", message: "restarted: another runtime takes its place", retryable: true })): void {
    this.#dead = why;
    if (!roomy()) setTimeout(() => this.#tell()); // it has died of an exhausted stack; where even this fails, the next call tells
    else this.#tell();
  }

  /** Tells everybody that it has died, once. */
  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    silence(this.#go, this.#values);
    const hear = [...this.onDeath];
    this.onDeath.clear();
    for (const f of hear) f(this.#dead!);
  }

  /** Whether it can be called. */
  get live(): boolean {
    return !this.#dead && !this.#go.exited;
  }

  /** Throws once the program has died. */
  alive(): void {
    if (this.#go.exited) this.die("the program has exited");
    if (this.#dead && !this.#told && roomy()) this.#tell();
    if (this.#dead) throw this.#dead;
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

/** Whether the stack has room for what is to be done. */
function roomy(): boolean {
  const deep = (n: number): number => (n === 0 ? 0 : 1 + deep(n - 1));
  try {
    return deep(500) === 500;
  } catch {
    return false;
  }
}
