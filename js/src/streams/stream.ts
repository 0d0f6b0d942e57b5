// A stream of actions as apps have it: its life, what is read of it, and what it tells. What is written is made by its writer.
import { Asking } from "./asking.js";
import { objectID, Writer, type Desk } from "./writer.js";
import type { Owner } from "./owner.js";
import { Place } from "./place.js";
import { sourceOf } from "./source.js";
import { Reads } from "./reads.js";
import { Told, type ToldLive } from "./told.js";
import type { Transaction } from "./transaction.js";
import { Waiting } from "./waiting.js";
import { Writes } from "./writes.js";
import type { Early, Lack } from "../boot/early.js";
import type { Runtime } from "../program/runtime.js";
import { Rows } from "../rows/rows.js";
import type { Change } from "../rows/watch.js";
import { asyncDispose, type Ending, type Until } from "../values/ending.js";
import { ClosedError, errorOf, invalid, SyncError, type Problem } from "../values/errors.js";
import { freeze } from "../values/json.js";
import { Life } from "../values/life.js";
import { checkStreamOptions, type StreamOptions } from "../values/options.js";
import type { Row } from "../values/row.js";
import { Shapes } from "../values/shapes.js";
import type { Conflict, ObjectChange, ObjectHistory, Rejected, Reset, Skipped, StreamEvents, StreamStatus, Undoable } from "../values/states.js";
import { later } from "../values/timers.js";
import type { Write } from "../values/write.js";

const closed = (name: string) => new ClosedError({ code: "closed", message: `stream ${name} is closed` });
const starting = new SyncError({ code: "starting", message: "starting: the runtime is not there yet", retryable: true });

export class Stream implements Desk {
  readonly name: string;
  /** @internal */
  readonly life = new Life(starting);
  /** @internal */
  readonly rows: Rows;
  /** @internal */
  readonly writes: Writes;
  /** @internal While there is no program. */
  waiting: Waiting | null = null;
  /** @internal What it was opened with that the local log does not say. */
  readonly options: { readonly conflictFree: boolean; readonly conflicts: number; readonly shapes: Shapes };
  readonly #owner: Owner;
  readonly #reads: Reads<ToldLive>;
  readonly #writer: Writer;
  readonly #told: Told;
  readonly #asking = new Asking(this);
  #client = "";
  #place: Place | null = null;
  #closing: Promise<void> | null = null;

  /** @internal early is what is stored of it, where it shows that until there is a program. */
  constructor(owner: Owner, name: string, conflictFree: boolean, options: StreamOptions, early?: Early) {
    this.#owner = owner;
    this.name = name;
    const shapes = new Shapes(options.schema, (code, message, e) => owner.warn(code, `${message} (stream ${name})`, e));
    this.options = { conflictFree, conflicts: options.conflicts ?? 0, shapes };
    this.rows = new Rows(later, early, shapes.sight.see, shapes.viewed.length > 0);
    this.writes = new Writes(() => owner.keeps);
    this.#writer = new Writer(this, shapes);
    if (early) [this.waiting, this.#client] = [new Waiting(early), early.client];
    this.#told = new Told(
      { place: () => this.#place, waiting: () => this.waiting, unsent: () => this.writes.unsent, why: () => this.life.why, overdue: () => owner.overdue },
      (e) => owner.warn("listener", `a listener of stream ${name} threw`, e),
    );
    const { life, rows } = this;
    this.#reads = new Reads({ life, rows, shapes, warn: (code, message, e) => owner.warn(code, `${message} (stream ${name})`, e) }, this.#told.live);
  }

  /** The rows of a query, or one object, as a value that follows it; and what the stream tells of itself. */
  get live(): Reads<ToldLive>["live"] {
    return this.#reads.live;
  }

  get client(): string {
    return this.#client;
  }

  /** Resolves when it has ended, with the reason. */
  get closed(): Promise<SyncError> {
    return this.life.closed;
  }

  // ---- its life

  /** @internal Its place in a program: in the first one, or in one that was started anew. Gives what is to be called when all streams are there: what
      subscribers have seen is compared with what is there now. */
  attach(runtime: Runtime, handle: number, client: string, lack: Lack = 0): (() => void)[] {
    if (this.waiting && client !== this.#client) this.rows.doubt(); // of another log, or the same under another id
    const place = (this.#place = new Place(runtime, handle));
    this.#client = client;
    if (lack > 0) runtime.host.lacking(handle, lack);
    const { viewed } = this.options.shapes;
    if (viewed.length > 0) place.inOrder(viewed);
    this.rows.attach(sourceOf(runtime, handle), () => {
      runtime.host.lacking(handle, 2);
      this.#reads.changed(true);
      this.#owner.differed(this.name);
    });
    this.writes.goOn((action, done) => runtime.host.persisted(handle, action, done));
    const goOn = () => {
      if (this.#place !== place || !this.life.waits) return; // gone again, or ended
      const { waiting } = this;
      this.waiting = null;
      this.life.turn("open");
      waiting?.end();
      this.statusChanged();
    };
    if (!this.waiting) goOn();
    return [() => this.#reads.changed(true), () => this.#reads.changed(false), goOn];
  }

  /** @internal The first program does not come: what is written is refused until it does. */
  overdue(why: SyncError): void {
    this.waiting?.refuse(why);
    this.statusChanged();
  }

  /** When the program is there; rows can be read before. */
  get ready(): Promise<void> {
    const ready = this.life.ended ? Promise.reject(this.life.why!) : this.waiting?.ready ?? Promise.resolve();
    ready.catch(() => {}); // who asks is told
    return ready;
  }

  /** @internal The program has died, or another one takes its place. What is not committed may be in the local log, or not. */
  detach(error: SyncError): void {
    if (this.life.ended) return;
    this.waiting ??= new Waiting(this.#told.stood());
    this.#place = null;
    this.rows.detach();
    this.writes.interrupt(error);
    if (!this.life.lives) return this.end(closed(this.name)); // it was about to
    this.life.turn("restarting", error);
    this.#asking.interrupt(error);
    this.statusChanged();
  }

  /** @internal How many writes of this page the server is not known to have. */
  get unsent(): number {
    return this.writes.unsent + (this.waiting?.size ?? 0);
  }

  /** @internal Whether something is under way that another program would do anew. */
  get busy(): boolean {
    const { state } = this.status;
    return state === "starting" || state === "syncing" || this.writes.uncommitted > 0;
  }

  /** @internal What the core tells; takes notes only. */
  readonly observer = {
    committed: (upTo: number) => this.writes.committed(upTo),
    failed: (tickets: number[], problem: Problem) => this.writes.failed(tickets, problem),
    resolved: (ticket: number, index: number, problem: Problem | null) => this.writes.resolved(ticket, index, problem),
    refused: (ticket: number, text: string) => {
      const rejected = freeze(JSON.parse(text) as Rejected);
      this.writes.refused(ticket, rejected);
      queueMicrotask(() => this.#told.tell("rejected", rejected));
    },
    conflict: (text: string) => {
      this.#told.changed();
      queueMicrotask(() => this.#told.tell("conflict", freeze(JSON.parse(text) as Conflict)));
    },
    reset: (text: string) => queueMicrotask(() => this.#told.tell("reset", freeze(JSON.parse(text) as Reset))),
    changed: (remote: boolean) => this.#reads.changed(remote),
    statusChanged: () => this.statusChanged(),
    outdated: () => this.#owner.outdated(),
    closed: (problem: Problem | null) => this.end(problem ? errorOf(problem) : closed(this.name)),
  };

  /** @internal The stream is asked for again, with options: what is said of its types is what the last one said who said something. */
  again(options: StreamOptions): this {
    checkStreamOptions(options);
    if (options.conflictFree !== undefined && options.conflictFree !== this.options.conflictFree) throw invalid("/conflictFree", "the stream is open with the other value");
    if (!options.schema) return this;
    const { shapes } = this.options, had = shapes.viewed.length;
    shapes.set(options.schema);
    if (had + shapes.viewed.length === 0) return this;
    this.rows.doubt(); // all rows are looked at anew
    this.#place?.inOrder(shapes.viewed);
    this.#reads.changed(true);
    return this;
  }

  /** @internal How many rows could not be viewed. */
  get unviewed(): number {
    return this.rows.table.unviewed;
  }

  close(): Promise<void> {
    if (this.life.ended) return this.#closing ?? Promise.resolve();
    if (!this.#owner.letGo(this)) return this.flushed();
    return (this.#closing ??= this.#close());
  }

  /** @internal Resolves when what is written now is durable, or was refused. */
  async flushed(): Promise<void> {
    if (this.waiting?.size) await this.waiting.ready.catch(() => {});
    await this.writes.flushed;
  }

  async #close(): Promise<void> {
    if (this.waiting?.size) await this.waiting.ready.catch(() => {}); // what was written becomes durable
    if (this.life.ended) return;
    if (!this.#place || this.waiting) {
      this.#place?.close(() => {}); // the others are not there yet
      return this.end(closed(this.name));
    }
    this.life.turn("closing", closed(this.name));
    this.#place.close(() => {});
    await this.life.closed; // also where the program dies meanwhile
  }

  /** @internal Ends the stream: what is open is rejected, later calls fail. */
  end(error: SyncError): void {
    if (this.life.ended) return;
    this.life.turn("closed", error);
    this.#place = null;
    this.waiting?.refuse(error);
    this.waiting = null;
    this.writes.end(error);
    this.#asking.interrupt(error);
    this.#reads.end();
    this.#told.end(error);
    this.#owner.forget(this);
  }

  // ---- what is written

  /** @internal Where it is in a program. Throws where nothing can be written. */
  get place(): Place {
    this.life.check();
    return this.#place!;
  }

  /** @internal */
  wrote(): void {
    this.#reads.changed(false); // subscribers first: what is left to be done takes longer
    this.pump();
    this.#owner.wrote();
    this.statusChanged();
  }

  /** @internal */
  pump(): void {
    this.#place?.runtime.pump();
  }

  create(type: string, fields: object, options: { id?: string } = {}): Write<string | readonly string[]> {
    return this.#writer.create(type, fields, options);
  }

  import(rows: readonly object[]): Write<readonly string[]> {
    return this.#writer.import(rows);
  }

  update(id: string, patch: object): Write<void> {
    return this.#writer.update(id, patch);
  }

  edit(id: string, fn: (draft: { [key: string]: unknown }) => void): Write<void> {
    return this.#writer.edit(id, fn);
  }

  remove(id: string): Write<void> {
    return this.#writer.remove(id);
  }

  transact(fn: (tx: Transaction) => void): Write<void> {
    return this.#writer.transact(fn);
  }

  undo(): Write<Skipped> {
    return this.#writer.undo();
  }

  redo(): Write<Skipped> {
    return this.#writer.redo();
  }

  group(): Ending {
    return this.#writer.group();
  }

  undoable(): Undoable | null {
    return this.#told.undoable();
  }

  retry(action: string, patch?: object): Write<void> {
    return this.#writer.retry(action, patch);
  }

  restore(what: Conflict | ObjectChange): Write<void> {
    return this.#writer.restore(what);
  }

  /** @internal Takes over an action that another profile has not sent. */
  adopt(text: string): Write<void> {
    return this.#writer.adopt(text);
  }

  async history(id: string): Promise<ObjectHistory> {
    this.life.check();
    return this.#owner.history(this.name, objectID(id));
  }

  // ---- what is read

  get(id: string): Row | undefined {
    return this.#reads.get(id);
  }

  query(q: object = {}): readonly Row[] {
    return this.#reads.query(q);
  }

  count(q: object = {}): number {
    return this.#reads.count(q);
  }

  subscribe(q: object, fn: (rows: readonly Row[], change: Change) => void, options: Until = {}): Ending {
    return this.#reads.subscribe(q, fn, options);
  }

  /** @internal For tests. */
  differing(): string[] | null {
    return this.life.state === "open" ? this.rows.differing() : null;
  }

  // ---- how it stands

  /** @internal */
  statusChanged(): void {
    this.#told.changed();
    this.#owner.statusChanged();
  }

  get status(): StreamStatus {
    return this.#told.status();
  }

  get head(): number {
    return this.status.head;
  }

  rejected(): readonly Rejected[] | null {
    return this.#told.rejected();
  }

  resets(): readonly Reset[] | null {
    return this.#told.resets();
  }

  conflicts(): readonly Conflict[] | null {
    return this.#told.conflicts();
  }

  pending(id?: string): readonly unknown[] | null {
    return this.#told.pending(id);
  }

  isPending(id: string): boolean {
    if (this.waiting) return this.rows.waits(id);
    return this.place.isPending(id);
  }

  writable(id: string): "yes" | "offline" | "locked" | "missing" | "starting" {
    if (this.waiting) return this.options.conflictFree ? "starting" : this.rows.get(id) ? "yes" : "missing";
    return this.place.writable(id);
  }

  discard(action: string): Promise<void> {
    return this.#asking.ask((place, resolve, reject, again) => {
      // One that is gone already was discarded before the program died.
      const failed = (e: unknown) => (again && (e as SyncError).code === "not-found" ? resolve() : reject(e));
      place.discard(objectID(action), [resolve, failed]);
    });
  }

  repair(): Promise<void> {
    return this.#asking.ask((place, resolve, reject) => place.repair([resolve, reject]));
  }

  settled(): Promise<void> {
    return this.#asking.ask((place, resolve, reject) => place.settled([resolve, reject]));
  }

  persisted(action: string): Promise<number> {
    const promise = this.#asking.ask<number>((place, resolve, reject) => place.persisted(String(action), [resolve, reject]));
    promise.catch(() => {}); // ignoring it raises nothing
    return promise;
  }

  on<E extends keyof StreamEvents>(event: E, fn: (e: StreamEvents[E]) => void, options: Until = {}): Ending {
    return this.#told.on(event, fn, options);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
