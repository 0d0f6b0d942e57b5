import type { Early, Lack } from "../boot/early.js";
import type { Database } from "../life/database.js";
import { Waiting } from "./early.js";
import { ClosedError, errorOf, invalid, NotFoundError, RejectedError, SyncError, type Problem } from "../values/errors.js";
import { edited } from "./edit.js";
import { Events } from "../values/events.js";
import { newID } from "../values/ids.js";
import { createHead, fieldsText, freeze, patchText, plain } from "../values/json.js";
import type { Conflict, Rejected, Skipped, StreamEvents, StreamStatus } from "../values/states.js";
import { checkStreamOptions, validatorsOf, type StreamOptions } from "../values/options.js";
import { outside } from "../values/paths.js";
import { read } from "../rows/query.js";
import type { Row } from "../values/row.js";
import { Rows } from "../rows/rows.js";
import { sourceOf } from "./source.js";
import { Notifier } from "../rows/notifier.js";
import { LiveRows } from "../rows/live.js";
import type { Change } from "../rows/watch.js";
import { OK, type Runtime } from "../program/runtime.js";
import { alone, created, doubtful, existing, imported, joined, op, parts, type Item } from "./many.js";
import { Transaction } from "./transaction.js";
import { patched, validate, type Validators } from "../values/validate.js";
import { begin, refused, type Open, type Write } from "../values/write.js";
import { Writes } from "./writes.js";

// Kinds of write, as wasm/exports.go has them.
const CREATE = 0;
const UPDATE = 1;
const REMOVE = 2;
const CREATE_AS = 3;
const TRANSACT = 4; // an export of its own
const AGAIN = 5; // another

// What is done again, as wasm/history.go has it.
const UNDO = 0;
const REDO = 1;
const RETRY = 2;
const RESTORE = 3;

const later = (fn: () => void, ms = 0) => void setTimeout(fn, ms);

/** An observer in the place of one that is not there yet: what is told before is of a state that its first look will show. */
export function relay(to: () => Stream["observer"] | undefined): object {
  const events = ["committed", "failed", "resolved", "refused", "conflict", "changed", "statusChanged", "outdated", "closed"] as const;
  return Object.fromEntries(events.map((event) => [event, (...args: never[]) => (to()?.[event] as ((...args: never[]) => void) | undefined)?.(...args)]));
}

const closed = (name: string) => new ClosedError({ code: "closed", message: `stream ${name} is closed` });
const starting = new SyncError({ code: "starting", message: "starting: the runtime is not there yet", retryable: true });

export class Stream {
  readonly name: string;
  #client = "";
  readonly #db: Database;
  #runtime!: Runtime;
  #handle = 0;
  readonly #rows: Rows;
  readonly #notifier: Notifier;
  readonly #events: Events<StreamEvents>;
  readonly #writes: Writes;
  readonly #waiting = new Set<(e: SyncError) => void>();
  #closed: SyncError | null = null;
  #down: SyncError | null = null; // while the runtime is being restarted
  #early: Waiting | null = null; // until there is a first one
  #closing: Promise<void> | null = null;
  #ended: (() => void) | null = null;
  #telling = false;

  readonly #conflictFree: boolean;
  #validators: Validators | null;

  /** @internal */
  constructor(db: Database, name: string, conflictFree: boolean, options: StreamOptions, early?: Early) {
    this.#conflictFree = conflictFree;
    this.#rows = new Rows(later, early);
    if (early) [this.#early, this.#client, this.#down] = [new Waiting(early), early.client, starting];
    this.conflictsKept = options.conflicts ?? 0;
    this.#validators = validatorsOf(options);
    this.#db = db;
    this.name = name;
    this.#writes = new Writes(() => db.durable);
    this.#notifier = new Notifier(this.#rows, {
      ready: () => !this.#closed && (!this.#down || this.#early !== null),
      later,
      warn: (code, message, e) => db.warn(code, `${message} (stream ${name})`, e),
    });
    this.#events = new Events(["status", "rejected", "conflict"], (e) => db.warn("listener", `a listener of stream ${name} threw`, e));
  }

  get client(): string {
    return this.#client;
  }

  /** @internal Its place in a program: in the first one, or in one that was started anew. Gives what is to be called when all streams are there: what
      subscribers have seen is compared with what is there now. */
  attach(runtime: Runtime, handle: number, client: string, lack: Lack = 0): (() => void)[] {
    if (this.#early && client !== this.#client) this.#rows.doubt(); // of another log, or the same under another id
    this.#runtime = runtime;
    this.#handle = handle;
    this.#client = client;
    if (lack > 0) runtime.host.lacking(handle, lack);
    this.#rows.attach(sourceOf(runtime, handle), () => {
      runtime.host.lacking(handle, 2);
      this.#changed(true);
      this.#db.differed(this.name);
    });
    if (!this.#down) return [];
    this.#down = null;
    this.#writes.goOn((action, done) => runtime.host.persisted(handle, action, done));
    this.#statusChanged();
    const goOn = () => {
      const early = this.#early;
      if (this.#down) return;
      this.#early = null;
      early?.end();
      this.#statusChanged();
    };
    return [() => this.#changed(true), () => this.#changed(false), goOn];
  }

  /** @internal The first program does not come: what is written is refused until it does. */
  overdue(why: SyncError): void {
    this.#early?.refuse(why);
    this.#statusChanged();
  }

  /** When the program is there; rows can be read before. */
  get ready(): Promise<void> {
    const ready = this.#closed ? Promise.reject(this.#closed) : this.#early?.ready ?? Promise.resolve();
    ready.catch(() => {}); // who asks is told
    return ready;
  }

  /** @internal The program has died. What is not committed may be in the local log, or not. */
  detach(error: SyncError): void {
    if (this.#closed) return;
    this.#down = error;
    this.#rows.detach();
    this.#writes.interrupt(error);
    for (const reject of [...this.#waiting]) reject(error);
    this.#waiting.clear();
    if (this.#closing) this.end(closed(this.name));
  }

  /** @internal */
  get closed(): boolean {
    return this.#closed !== null;
  }

  /** @internal How many writes of this page the server is not known to have. */
  get unsent(): number {
    return this.#writes.unsent + (this.#early?.size ?? 0);
  }

  /** @internal Whether something is under way that a restart would end. */
  get busy(): boolean {
    const { state } = this.status;
    return state === "starting" || state === "syncing" || this.#writes.uncommitted + this.#waiting.size > 0;
  }

  /** @internal What it was opened with that the local log does not say. */
  get conflictFree(): boolean {
    return this.#conflictFree;
  }

  /** @internal */
  readonly conflictsKept: number;

  /** @internal What the core tells; takes notes only. */
  readonly observer = {
    committed: (upTo: number) => this.#writes.committed(upTo),
    failed: (tickets: number[], problem: Problem) => this.#writes.failed(tickets, problem),
    resolved: (ticket: number, index: number, problem: Problem | null) => this.#writes.resolved(ticket, index, problem),
    refused: (ticket: number, text: string) => {
      const rejected = freeze(JSON.parse(text) as Rejected);
      this.#writes.refused(ticket, rejected);
      queueMicrotask(() => this.#events.emit("rejected", rejected));
    },
    conflict: (text: string) => {
      queueMicrotask(() => this.#events.emit("conflict", freeze(JSON.parse(text) as Conflict)));
    },
    changed: (remote: boolean) => this.#changed(remote),
    statusChanged: () => this.#statusChanged(),
    outdated: () => this.#db.outdated(),
    closed: (problem: Problem | null) => {
      this.end(problem ? errorOf(problem) : closed(this.name));
    },
  };

  /** @internal The stream is asked for again, with options: its validators are those of the last one who gave some. */
  again(options: StreamOptions): this {
    checkStreamOptions(options);
    if (options.conflictFree !== undefined && options.conflictFree !== this.#conflictFree) throw invalid("/conflictFree", "the stream is open with the other value");
    if (options.validate) this.#validators = validatorsOf(options);
    return this;
  }

  /** @internal Ends the stream: what is open is rejected, later calls fail. */
  end(error: SyncError): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#early?.refuse(error);
    this.#early = null;
    this.#writes.end(error);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#notifier.end();
    this.#ended?.();
    this.#db.forget(this);
  }

  create(type: string, fields: object, options: { id?: string } = {}): Write<string | readonly string[]> {
    if (Array.isArray(fields)) return this.#many(() => created(type, fields as object[], options));
    const id = options?.id;
    return this.#write(id === undefined ? CREATE : CREATE_AS, () => {
      const head = createHead(type, options), text = fieldsText(fields);
      validate(this.#validators, type, fields);
      return (id ?? "") + head + "\n" + text; // JSON.stringify writes no line break
    });
  }

  import(rows: readonly object[]): Write<readonly string[]> {
    return this.#many(() => imported(rows));
  }

  /** What is wrong with one of them is told before any is written. */
  #many(read: () => Item[], early?: Item[]): Write<readonly string[]> {
    let first = 0;
    try {
      if (!this.#early) this.#check();
      const r = this.#runtime;
      let items = early ?? read();
      for (const [i, item] of items.entries()) validate(this.#validators, item.type, item.fields, `/${i}`);
      if (this.#early) {
        const copies = items.map((item) => ({ ...item, fields: JSON.parse(item.text) as object, id: item.id ?? newID() }));
        return this.#wait(() => this.#many(read, copies));
      }
      for (const [i, item] of items.entries()) if (item.given && this.#rows.get(item.id!)) throw existing(i);
      if (items.some((item) => item.id === null)) {
        r.status(r.exports.strandline_new_id(Date.now(), items.length));
        const fresh = r.text().match(/.{36}/g) ?? [];
        items = items.map((item, i) => ({ ...item, id: fresh[i]! }));
      }
      const ids = items.map((item) => item.id!), doubts = [...items.keys()].filter((i) => doubtful(items[i]!.fields, items[i]!.text));
      const all = parts(items.map(op));
      // Once the first action is written it is too late for what is wrong in the next one.
      for (const part of all.length > 1 ? all : []) {
        first = part.first;
        if (doubts.some((i) => i >= first && i < first + part.n)) r.status(r.exports.strandline_check(this.#handle, r.input(part.ops)));
      }
      const writes = all.map((part) => {
        first = part.first;
        return this.#done<void>(TRANSACT, () => {
          r.status(r.exports.strandline_transact(this.#handle, r.input(`\n${part.ops}`), Date.now(), 0));
          return true;
        });
      });
      return joined(writes, ids, this.head);
    } catch (e) {
      this.#runtime?.pump();
      return refused(alone(outside(e, true, first), first));
    }
  }

  update(id: string, patch: object): Write<void> {
    const given = this.#early ? { ...patch } : patch; // it may be another when it is looked at again
    return this.#write<void>(UPDATE, () => {
      const text = patchText(patch);
      if (text !== "") this.#validate(id, patch);
      return text === "" ? "" : this.#id(id) + text;
    }, () => this.#validate(id, given));
  }

  edit(id: string, fn: (draft: { [key: string]: unknown }) => void): Write<void> {
    if (this.#early) return this.#wait(() => this.edit(id, fn));
    return this.#write<void>(UPDATE, () => {
      this.#check();
      const row = this.#rows.get(this.#id(id));
      if (!row) throw new NotFoundError({ code: "not-found", message: `not-found: no object has the id ${id}` });
      const patch = edited(row, fn);
      const text = patchText(patch);
      if (text !== "") this.#validate(id, patch);
      return text === "" ? "" : id + text;
    });
  }

  remove(id: string): Write<void> {
    return this.#write<void>(REMOVE, () => this.#id(id));
  }

  transact(fn: (tx: Transaction) => void): Write<void> {
    const upon = this.#early ? this.#early.of.head + 1 : 0;
    return this.#apply<void>(TRANSACT, () => {
      if (typeof fn !== "function") throw invalid("", "transact takes a function");
      const r = this.#runtime;
      const newID = () => {
        r.status(r.exports.strandline_new_id(Date.now(), 1));
        return r.ascii();
      };
      const tx = new Transaction(newID, (id) => this.#id(id), this.#validators, (id) => this.#rows.get(id));
      tx.run(fn);
      this.#check(); // fn may have closed it
      if (tx.ops.length === 0) return false;
      const guards = tx.guards.length > 0 ? `[${tx.guards.join(",")}]` : "";
      r.status(r.exports.strandline_transact(this.#handle, r.input(`${guards}\n[${tx.ops.join(",")}]`), Date.now(), upon));
      return true;
    });
  }

  undo(): Write<Skipped> {
    return this.#again<Skipped>(UNDO, () => "");
  }

  redo(): Write<Skipped> {
    return this.#again<Skipped>(REDO, () => "");
  }

  retry(action: string, patch?: object): Write<void> {
    return this.#again<void>(RETRY, () => {
      const text = this.#id(action) + (patch === undefined ? "" : patchText(patch));
      for (const op of patch === undefined ? [] : this.rejected()!.find((r) => r.action.id === action)?.action.ops ?? []) {
        if (op.op === "create") validate(this.#validators, op.type!, patched(op.fields!, patch!));
        if (op.op === "update") this.#validate(op.object, { ...op.set, ...patch });
      }
      return text;
    });
  }

  restore(conflict: Conflict): Write<void> {
    return this.#again<void>(RESTORE, () => {
      plain(conflict, "");
      const { action, object, key, kind, index } = conflict;
      return `${this.#id(action)}${this.#id(object)}${index} ${kind} ${key}`;
    });
  }

  rejected(): readonly Rejected[] | null {
    return this.#list("strandline_rejected");
  }

  conflicts(): readonly Conflict[] | null {
    return this.#list("strandline_conflicts");
  }

  writable(id: string): "yes" | "offline" | "locked" | "missing" | "starting" {
    if (this.#early) return this.#conflictFree ? "starting" : this.#rows.get(id) ? "yes" : "missing";
    this.#check();
    const r = this.#runtime;
    if (!r.inputID(id)) return "missing";
    r.status(r.exports.strandline_writable(this.#handle));
    return r.ascii() as "yes";
  }

  /** Looks the object up where somebody may ask: an update does not, else. */
  #validate(id: string, patch: object): void {
    const row = this.#validators && this.#rows.get(id);
    if (row) validate(this.#validators, row.type, patched(row, patch));
  }

  #list<T>(name: "strandline_rejected" | "strandline_conflicts"): readonly T[] | null {
    if (this.#early) return null;
    this.#check();
    const r = this.#runtime;
    r.status(r.exports[name](this.#handle));
    return freeze(JSON.parse(r.text()) as T[]);
  }

  discard(action: string): Promise<void> {
    if (this.#early) return this.ready.then(() => this.discard(action));
    return new Promise((resolve, reject) => {
      this.#check();
      const id = this.#id(action);
      this.#waiting.add(reject);
      this.#runtime.host.discard(this.#handle, id, (problem) => {
        this.#waiting.delete(reject);
        if (problem) reject(errorOf(problem));
        else resolve();
      });
    });
  }

  #id(id: unknown): string {
    if (typeof id !== "string" || id.length !== 36) throw new NotFoundError({ code: "not-found", message: `not-found: ${String(id)} is no object's id` });
    return id;
  }

  /** Makes one action. make gives what crosses the border; an empty text where there is nothing to do. */
  #write<T>(kind: number, make: () => string, again: () => void = () => {}): Write<T> {
    const call = (text: string, kind: number, now: number, upon: number) => {
      if (text === "") return false;
      const r = this.#runtime;
      r.status(r.exports.strandline_write(this.#handle, kind, r.input(text), now, upon));
      return true;
    };
    const early = this.#early;
    if (!early) return this.#apply<T>(kind, () => call(make(), kind, Date.now(), 0));
    let text: string;
    try {
      text = make();
      if (kind === CREATE) [kind, text] = [CREATE_AS, newID() + text];
    } catch (e) {
      return refused<T>(outside(e, false));
    }
    const now = Date.now(), upon = early.of.head + 1; // what was seen counts, not what is there by then
    const later = () => {
      again(); // what came before it may have changed what it is about
      return call(text, kind, now, upon);
    };
    return this.#wait(() => this.#apply<T>(kind, later), text.slice(0, 36) || undefined);
  }

  /** Makes one when there is a program. */
  #wait<T>(make: () => Write<T>, object?: string): Write<T> {
    const write = this.#early!.write(make, object);
    this.#statusChanged();
    return write;
  }

  /** Makes an action of what was. make gives what crosses the border. */
  #again<T>(kind: number, make: () => string): Write<T> {
    return this.#apply<T>(AGAIN, () => {
      this.#check();
      const r = this.#runtime;
      return r.status(r.exports.strandline_again(this.#handle, kind, r.input(make()), Date.now())) === OK;
    });
  }

  /** Makes an action by a call of the core, which says false where there is nothing to do. */
  #apply<T>(kind: number, call: () => boolean): Write<T> {
    if (this.#early) return this.#wait(() => this.#apply<T>(kind, call));
    try {
      return this.#done<T>(kind, call);
    } catch (e) {
      this.#runtime?.pump(); // one that is refused since the server is out of reach looks whether it is back
      return refused<T>(outside(e, kind === TRANSACT));
    }
  }

  #done<T>(kind: number, call: () => boolean): Write<T> {
    this.#check();
    const open = begin<T>();
    if (!call()) {
      open.resolve(undefined as T);
      open.write.settle(this.head, null);
      return open.write;
    }
    const r = this.#runtime;
    const ids = kind === AGAIN ? r.text() : r.ascii();
    open.ticket = r.header[4]!;
    open.write.action = ids.slice(0, 36);
    open.write.object = ids.slice(36, 72);
    if (ids.length > 72) open.value = { skipped: JSON.parse(ids.slice(72)) } as T;
    if (kind === CREATE || kind === CREATE_AS) open.value = open.write.object as T;
    this.#writes.add(open as Open<unknown>);
    this.#changed(false); // subscribers first: what is left to be done takes longer
    r.pump();
    this.#db.wrote();
    this.#statusChanged();
    return open.write;
  }

  get(id: string): Row | undefined {
    this.#checkRows();
    return typeof id === "string" ? this.#rows.get(id) : undefined;
  }

  query(q: object = {}): readonly Row[] {
    this.#checkRows();
    return this.#rows.query(read(q));
  }

  count(q: object = {}): number {
    this.#checkRows();
    return this.#rows.count(read(q));
  }

  live(q: object = {}): LiveRows {
    this.#checkRows();
    return new LiveRows(this.#rows, this.#notifier, read(q), () => this.#checkRows());
  }

  subscribe(q: object, fn: (rows: readonly Row[], change: Change) => void): () => void {
    this.#checkRows();
    if (typeof fn !== "function") throw invalid("", "subscribe takes a function");
    const subscription = this.#notifier.add(read(q), fn);
    this.#notifier.call({ rows: subscription.rows, fn }, { added: subscription.rows.map((row) => row.id), changed: [], removed: [], origin: "local" });
    return () => subscription.end();
  }

  /** @internal For tests. */
  differing(): string[] | null {
    return this.#closed || this.#down ? null : this.#rows.differing();
  }

  #changed(remote: boolean): void {
    this.#rows.changed();
    this.#notifier.changed(remote);
  }

  #statusChanged(): void {
    if (this.#telling || (!this.#events.has("status") && !this.#db.watched)) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (this.#closed || (this.#down && !this.#early)) return;
      if (this.#events.has("status")) this.#events.emit("status", this.status);
      this.#db.statusChanged();
    });
  }

  get status(): StreamStatus {
    if (this.#early) {
      const { size, of } = this.#early;
      return { state: "starting", reason: null, head: of.head, pending: of.unsent + size, rejected: of.refused, next: null, lastSynced: null, error: this.#db.overdue };
    }
    if (this.#down && !this.#closed) return { state: "starting", reason: null, head: 0, pending: this.#writes.unsent, rejected: 0, next: null, lastSynced: null, error: this.#down };
    this.#check();
    const r = this.#runtime;
    r.status(r.exports.strandline_status(this.#handle));
    const s = JSON.parse(r.text()) as StreamStatus & { error?: Problem };
    return { ...s, next: s.next ?? null, lastSynced: s.lastSynced || null, error: s.error ? errorOf(s.error) : null };
  }

  get head(): number {
    if (!this.#early) this.#check();
    return this.status.head;
  }

  pending(id?: string): readonly unknown[] | null {
    if (this.#early) return null;
    this.#check();
    const r = this.#runtime;
    if (id !== undefined && !r.inputID(id)) return [];
    r.status(r.exports.strandline_pending(this.#handle, id === undefined ? 0 : 36));
    return JSON.parse(r.text()) as unknown[];
  }

  isPending(id: string): boolean {
    if (this.#early) return this.#rows.waits(id);
    this.#check();
    const r = this.#runtime;
    return r.inputID(id) && r.status(r.exports.strandline_is_pending(this.#handle)) === OK;
  }

  settled(): Promise<void> {
    if (this.#early) return this.ready.then(() => this.settled());
    return new Promise((resolve, reject) => {
      this.#check();
      this.#waiting.add(reject);
      this.#runtime.host.settled(this.#handle, () => {
        this.#waiting.delete(reject);
        resolve();
      });
    });
  }

  persisted(action: string): Promise<number> {
    const promise = this.#early ? this.ready.then(() => this.persisted(action)) : new Promise<number>((resolve, reject) => {
      this.#check();
      this.#waiting.add(reject);
      this.#runtime.host.persisted(this.#handle, String(action), (problem, index, rejected) => {
        this.#waiting.delete(reject);
        if (!problem) resolve(index);
        else reject(rejected ? new RejectedError(problem, JSON.parse(rejected)) : errorOf(problem));
      });
    });
    promise.catch(() => {}); // ignoring it raises nothing
    return promise;
  }

  on<E extends keyof StreamEvents>(event: E, fn: (e: StreamEvents[E]) => void): () => void {
    return this.#events.on(event, fn);
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#closed) return resolve();
      this.#ended = resolve; // also where the program dies meanwhile
      this.#db.leaving(this);
      const early = this.#early, close = () => this.#runtime.host.closeStream(this.#handle, () => resolve());
      if (early && early.size > 0) return void early.ready.then(close, () => this.end(closed(this.name)));
      if (this.#down) return this.end(closed(this.name));
      close();
    });
    return this.#closing;
  }

  #check(): void {
    const why = this.#closed ?? this.#down;
    if (why) throw why;
  }

  /** Rows that are there can be read while the program is started anew. */
  #checkRows(): void {
    if (this.#closed) throw this.#closed;
    if (this.#down && !this.#rows.readable) throw this.#down;
  }
}
