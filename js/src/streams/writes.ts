// The writes of a stream that are under way: until they are durable, and until the server's log has them.
import { ConflictError, errorOf, RejectedError, type Problem, type SyncError } from "../values/errors.js";
import type { Rejected } from "../values/states.js";
import type { Open } from "../values/write.js";

export class Writes {
  #uncommitted: Open<unknown>[] = []; // in the order of their tickets
  readonly #open = new Map<number, Open<unknown>>(); // by ticket, until the log has them
  readonly #durable: () => boolean;

  /** durable tells whether this browser keeps what is committed: what is in memory only is kept when the server has it. */
  constructor(durable: () => boolean) {
    this.#durable = durable;
  }

  /** How many the server is not known to have. */
  get unsent(): number {
    return this.#open.size;
  }

  /** How many are not durable. */
  get uncommitted(): number {
    return this.#uncommitted.length;
  }

  /** Resolves when what is written now is durable, or was refused; at once where the browser keeps nothing. */
  get flushed(): Promise<void> {
    const last = this.#uncommitted[this.#uncommitted.length - 1];
    return last && this.#durable() ? last.write.then(() => {}, () => {}) : Promise.resolve();
  }

  add(open: Open<unknown>): void {
    this.#uncommitted.push(open);
    this.#open.set(open.ticket, open);
  }

  committed(upTo: number): void {
    if (!this.#durable()) return;
    const after = this.#uncommitted.findIndex((open) => open.ticket > upTo);
    for (const open of this.#uncommitted.splice(0, after < 0 ? this.#uncommitted.length : after)) open.resolve(open.value);
  }

  failed(tickets: readonly number[], problem: Problem): void {
    const gone = new Set(tickets);
    const error = errorOf(problem);
    for (const ticket of gone) {
      const open = this.#taken(ticket);
      open?.reject(error);
      open?.write.settle(0, error);
    }
    this.#uncommitted = this.#uncommitted.filter((o) => !gone.has(o.ticket));
  }

  resolved(ticket: number, index: number, problem: Problem | null): void {
    const open = this.#taken(ticket);
    if (!this.#durable() && open) {
      this.#uncommitted = this.#uncommitted.filter((o) => o !== open);
      open.resolve(open.value);
    }
    open?.write.settle(index, problem && new ConflictError(problem));
  }

  refused(ticket: number, rejected: Rejected): void {
    const error = new RejectedError({ code: rejected.code, message: `${rejected.code}: ${rejected.message}` }, rejected.action);
    const open = this.#taken(ticket);
    open?.reject(error); // a dependant that was not committed yet; else it has resolved before
    if (!this.#durable()) this.#uncommitted = this.#uncommitted.filter((o) => o !== open);
    open?.write.settle(0, error);
  }

  #taken(ticket: number): Open<unknown> | undefined {
    const open = this.#open.get(ticket);
    this.#open.delete(ticket);
    return open;
  }

  /** The program has died: what is not committed may be in the local log, or not. */
  interrupt(error: SyncError): void {
    for (const open of this.#uncommitted.splice(0)) {
      this.#open.delete(open.ticket);
      open.reject(error);
      open.write.settle(0, error);
    }
  }

  /** Another program has taken its place: ask tells what becomes of an action. */
  goOn(ask: (action: string, done: (problem: Problem | null, index: number, rejected?: string | null) => void) => void): void {
    const sent = [...this.#open.values()];
    this.#open.clear(); // the tickets were the old program's
    for (const [i, open] of sent.entries()) {
      const ticket = -1 - i;
      open.ticket = ticket;
      this.#open.set(ticket, open);
      ask(open.write.action, (problem, index, rejected) => {
        if (this.#open.get(ticket) !== open) return;
        this.#open.delete(ticket);
        open.write.settle(index, problem && (rejected ? new RejectedError(problem, JSON.parse(rejected)) : errorOf(problem)));
      });
    }
  }

  /** The stream has ended. */
  end(error: SyncError): void {
    for (const open of this.#uncommitted.splice(0)) open.reject(error);
    for (const open of this.#open.values()) open.write.settle(0, error);
    this.#open.clear();
  }
}
