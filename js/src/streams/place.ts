// A stream's place in a program: how it is called there.
import { errorOf, RejectedError, type Problem } from "../values/errors.js";
import { sourceOf } from "./source.js";
import { OK, type Border } from "../program/border.js";
import type { Runtime } from "../program/runtime.js";

type Settle<T> = readonly [resolve: (value: T) => void, reject: (e: unknown) => void];

export class Place {
  #group = "";

  constructor(
    readonly runtime: Runtime,
    readonly handle: number,
  ) {}

  get border(): Border {
    return this.runtime.border;
  }

  #text(name: "strandline_status" | "strandline_rejected" | "strandline_conflicts" | "strandline_resets"): string {
    const r = this.border;
    r.status(r.exports[name](this.handle));
    return r.text();
  }

  status(): string {
    return this.#text("strandline_status");
  }

  rejected(): string {
    return this.#text("strandline_rejected");
  }

  conflicts(): string {
    return this.#text("strandline_conflicts");
  }

  resets(): string {
    return this.#text("strandline_resets");
  }

  /** The actions that are pending, as JSON; those that name an object, where one is given. */
  pending(id?: string): string {
    const r = this.border;
    if (id !== undefined && !r.inputID(id)) return "[]";
    r.status(r.exports.strandline_pending(this.handle, id === undefined ? 0 : 36));
    return r.text();
  }

  isPending(id: string): boolean {
    const r = this.border;
    return r.inputID(id) && r.status(r.exports.strandline_is_pending(this.handle)) === OK;
  }

  writable(id: string): "yes" | "offline" | "locked" | "missing" {
    const r = this.border;
    if (!r.inputID(id)) return "missing";
    r.status(r.exports.strandline_writable(this.handle));
    return r.ascii() as "yes";
  }

  newID(): string {
    const r = this.border;
    r.status(r.exports.strandline_new_id(Date.now(), 1));
    return r.ascii();
  }

  newIDs(n: number): string[] {
    const r = this.border;
    r.status(r.exports.strandline_new_id(Date.now(), n));
    return r.text().match(/.{36}/g) ?? [];
  }

  /** Makes one action of a kind. upon is up to where its writer has seen the log, and one more; 0 for all that is here. */
  write(kind: number, text: string, now: number, upon: number): void {
    const r = this.border;
    r.status(r.exports.strandline_write(this.handle, kind, r.input(text), now, upon));
  }

  /** Makes one action of several ops. */
  transact(guards: string, ops: string, upon: number): void {
    const r = this.border;
    r.status(r.exports.strandline_transact(this.handle, r.input(`${guards}\n${ops}`), Date.now(), upon));
  }

  /** Throws where ops could not be one. */
  check(ops: string): void {
    const r = this.border;
    r.status(r.exports.strandline_check(this.handle, r.input(ops)));
  }

  /** An object's row as ops, all about it, would leave it; undefined where there would be none. */
  preview(object: string, ops: string): string | undefined {
    const r = this.border;
    return r.status(r.exports.strandline_preview(this.handle, r.input(object + ops))) === OK ? r.text() : undefined;
  }

  /** Makes an action of what was; false where there is nothing to do. */
  again(kind: number, text: string): boolean {
    const r = this.border;
    return r.status(r.exports.strandline_again(this.handle, kind, r.input(text), Date.now())) === OK;
  }

  /** What is written from now on is of a group; "": of none. */
  group(id: string): void {
    if (id === this.#group) return;
    const r = this.border;
    r.status(r.exports.strandline_group(this.handle, id && r.inputID(id) ? 36 : 0));
    this.#group = id;
  }

  /** Whether there is something to undo (1), and to redo (2). */
  undoable(): number {
    const r = this.border;
    r.status(r.exports.strandline_undoable(this.handle));
    return r.header[2]!;
  }

  /** What is called with an answer. */
  #answer([resolve, reject]: Settle<void>): (problem: Problem | null) => void {
    return (problem) => (problem ? reject(errorOf(problem)) : resolve());
  }

  settled(settle: Settle<void>): void {
    this.runtime.host.settled(this.handle, () => settle[0]());
  }

  discard(action: string, settle: Settle<void>): void {
    this.runtime.host.discard(this.handle, action, this.#answer(settle));
  }

  /** The rows of these types come with the order in which their keys were written, all of them anew. */
  inOrder(types: readonly string[]): void {
    this.runtime.host.inOrder(this.handle, types.join("\n"));
  }

  /** An object's row as it is kept. */
  row(id: string): string | undefined {
    return sourceOf(this.runtime, this.handle).row(id);
  }

  repair(settle: Settle<void>): void {
    this.runtime.host.repair(this.handle, this.#answer(settle));
  }

  /** What becomes of an action of this client. */
  persisted(action: string, [resolve, reject]: Settle<number>): void {
    this.runtime.host.persisted(this.handle, action, (problem, index, rejected) => {
      if (!problem) resolve(index);
      else reject(rejected ? new RejectedError(problem, JSON.parse(rejected)) : errorOf(problem));
    });
  }

  close(done: () => void): void {
    this.runtime.host.closeStream(this.handle, done);
  }
}
