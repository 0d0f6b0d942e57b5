// The public surface of strandline. Reads are synchronous: the visible state is in memory. Writes apply at once and
// return a promise. A bad call rejects where a promise is returned and throws where none is. Bad values are
// InvalidError, an unknown id is NotFoundError. undefined: absent as a field of create, InvalidError in a patch (unset() takes a key away) and
// inside arrays. Rows are deeply frozen.

import type { Action, Coding, Guard, Id, Inferred, Json, KeptRow, Patch, Query, Row, Schema, SchemaOf, Shapes, ShapesOf, UUID } from "./schema.js";
export * from "./schema.js";

/** Opens (or creates) the local database of this origin for `name` and `user`, and starts the sync loop. One that is open in this page is the same, until it was closed as
    often as it was opened. Where the browser keeps nothing (health().indexedDB says so) and a
    server is named, it goes on in memory: a write's promise resolves then when the server has it.
 * @example
 * const db = await open({ name: "todos", server: "https://sync.example.com", auth: () => session.token() }); */
export function open(options: OpenOptions): Promise<Database>;

export interface OpenOptions {
  /** The local database's, within this origin. */
  name: string;
  /** The URL under which the server's /v1 stands: an origin, or an origin with a path. Left out: local only, pending actions wait. */
  server?: string | URL;
  /** Gives the bearer token. Asked when the first request is made, and when the server has refused the last one: again after a pause that grows from twice `timers.retry` to a minute while there is no good one, and at once by sync(), when the network comes back, and when the page becomes visible. Pending actions are held, never dropped, meanwhile. */
  auth?: () => string | null | Promise<string | null>;
  /** Who is writing; part of the database's identity. */
  user?: string;
  /** Where strandline.wasm is: URL, Response, bytes or a compiled module. Default: beside the script. */
  wasm?: string | URL | Response | BufferSource | WebAssembly.Module;
  /** Where the local database is. "memory": nowhere but in this page or process, as long as it is open: for tests, servers that render, kiosks. A write's promise
      resolves then when it is applied. Default "indexeddb". */
  storage?: "indexeddb" | "memory";
  /** How the server is asked, where the global fetch will not do. */
  fetch?: typeof fetch;
  /** IndexedDB commit hint. Default "relaxed", as browsers have it; "strict" also flushes to the disk. */
  durability?: "relaxed" | "strict";
  /** Milliseconds. Defaults: retry 5000 (after a network failure, ±10 % jitter), idle 60000. */
  timers?: { retry?: number; idle?: number };
  /** Whether the browser is asked, once something was written in a page that somebody uses, not to evict what is stored. Default true, but where the browser would ask the
      user (Firefox): there it is asked only where this is true. */
  persist?: boolean;
  /** The version of the app's code, from 1 on: raise it with what streams' types mean. A server may take changes of newer code alone (`minSchema`); then those of this code wait
      (status `held`, error `schema`), reading goes on, and newer code sends them. */
  schemaVersion?: number;
  /** Called with every warning or error that no promise carries. Default: console. */
  log?: (entry: LogEntry) => void;
}

export interface Database {
  readonly name: string;
  readonly user: string | null;
  /** Opens a stream, or gives the one that is open, until it was closed as often as it was opened. Names have 1 to 200 characters of A-Z a-z 0-9 . _ - ~ : /
   * @example
   * const todos = await db.stream("lists/1", { schema: { todo: z.object({ title: z.string(), done: z.boolean() }) } });
   * todos.query()[0]?.title; // string | undefined */
  stream<const V extends Shapes>(name: string, options: Omit<StreamOptions, "schema"> & { readonly schema: V & Coding<V> }): Promise<Stream<Inferred<V>>>;
  /** The same, with a schema given by hand, or with any.
   * @example
   * const todos = await db.stream<{ todo: { title: string; done: boolean } }>("lists/1");
   * await todos.create("todo", { title: "Buy milk", done: false }); */
  stream<S extends SchemaOf<S> = Schema>(name: string, ...options: StreamArgs<S>): Promise<Stream<S>>;
  /** Opens a data stream: entries that are appended and never change. Asked for again, it is the same one.
   * @example
   * const readings = await db.data("readings");
   * await readings.append({ at: Date.now(), celsius: 21.5 }); */
  data(name: string, options?: DataStreamOptions): Promise<DataStream>;
  /** Runs the loop now, for all open streams, until nothing is left to fetch or persist, or it fails.
   * @example
   * await db.sync().catch(() => {}); // offline: it goes on by itself */
  sync(): Promise<void>;
  /** Whether the last request was answered, whether this context is the leader, and each open stream's status.
   * @example
   * if (!db.status.online) badge.textContent = "offline"; */
  readonly status: Status;
  /** What this browser gives, and what it has taken.
   * @example
   * if ((await db.health()).indexedDB !== "ok") banner.textContent = "Nothing is kept on this device."; */
  health(): Promise<Health>;
  /** The last turns of the loop that this context ran, oldest first: when, why, and what came of them.
   * @example
   * for (const turn of db.trace()) console.log(new Date(turn.at), turn.because, turn.fetched, turn.code); */
  trace(): readonly WakeUp[];
  /** A bundle of all that this browser has of the database, as JSON lines: local logs, what is unsent, refused or in conflict, the last turns. `strandline replay FILE` goes through it step
      by step to the same state. With `redact`, random letters stand for the texts in it, and for who wrote them; numbers and names stay.
   * @example
   * const bundle = await db.export({ redact: true }); // a Blob: to save, or to send with a report */
  export(options?: { redact?: boolean }): Promise<Blob>;
  /** Takes over what is unsent in a bundle of this user's, once: whoever sends an action first, it counts once. The server is asked first what it has.
   * @example
   * const { imported, known } = await db.import(file); // a File of an input, or the bundle's text */
  import(bundle: Blob | string): Promise<Imported>;
  /** What it tells of itself, as values that follow it. health is null while it is not known.
   * @example
   * using end = db.live.status.subscribe((status) => { badge.textContent = status.online ? "" : "offline"; }); */
  readonly live: { readonly status: Live<Status>; readonly health: Live<Health | null> };
  /** Calls fn whenever the event happens. Gives a function that ends it.
   * @example
   * db.on("update", () => location.reload()); */
  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void, options?: Until): Ending;
  /** As close, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Lets what is written become durable, then lets go. Pending actions stay in the local database. Where it was opened several times, the last one ends it.
   * @example
   * await db.close(); */
  close(): Promise<void>;
  /** Resolves when it has ended, with the reason: ClosedError after close or destroy, here or in another tab; any other error where it cannot go on.
   * @example
   * const why = await db.closed; // "closed", or why it cannot go on */
  readonly closed: Promise<SyncError>;
  /** Sign-out: deletes the local database. Rejects with UnsentError (with the count) while actions are pending, unless forced.
   * @example
   * await db.destroy().catch((e) => { if (e instanceof UnsentError && confirm(`Lose ${e.pending} changes?`)) return db.destroy({ force: true }); }); */
  destroy(options?: { force?: boolean }): Promise<void>;
}

export interface StreamOptions<S = Schema> {
  /** Objects that exist are read-only while the server is out of reach, and no write replaces one that it had not seen. Chosen when this browser opens the
      stream first, and kept; every writer of the stream has to choose the same. */
  conflictFree?: boolean;
  /** What is known of each type's fields: a Standard Schema validator (Zod, Valibot, ArkType, …), which answers at once, or `{ shape, codecs }`. A validator is asked for the
      fields as they would be before an action is made; an invalid write is an InvalidError with the path of the first issue. What it gives back is not written. The
      schema of the stream is inferred from it where none is given by hand. */
  schema?: ShapesOf<S>;
  /** How many conflict reports are kept, of 1 MB in all. Default 1,000. */
  conflicts?: number;
}

/** Options; they may be left out where all fields are JSON. */
export type StreamArgs<S> = {} extends ShapesOf<S> ? [options?: StreamOptions<S>] : [options: StreamOptions<S> & { schema: ShapesOf<S> }];

export interface Stream<S = any> {
  readonly name: string;
  /** The id under which this browser profile writes to the log. */
  readonly client: UUID;

  // writes: applied at once, resolve when IndexedDB has them
  /** Makes many objects: one action as far as its limits go, several beyond them. What is wrong with one of them (its path begins with its number) keeps all from being
      written. The promise gives their ids; `persisted` is of the last one.
   * @example
   * await todos.create("todo", lines.map((title) => ({ title, done: false }))); */
  create<T extends keyof S & string>(type: T, rows: readonly S[T][]): Write<readonly Id<T>[]>;
  /** Makes objects of rows as reads give them, under their ids: from a file, another stream, another database. One action as far as its limits go, several beyond
      them. Where an object with one of the ids exists (`exists`), or one of them is wrong, none is made; the path begins with its number.
   * @example
   * await todos.import(JSON.parse(text)); // of JSON.stringify(todos.query()) */
  import(rows: readonly Row<S>[]): Write<readonly UUID[]>;
  /** Makes an object. Its id is random unless one is given: a lower-case UUID.
   * @example
   * const id = await todos.create("todo", { title: "Buy milk", done: false }); */
  create<T extends keyof S & string>(type: T, fields: S[T], options?: { id?: Id<T> }): Write<Id<T>>;
  /** Writes the keys of the patch, and no others. A patch that changes nothing makes no action.
   * @example
   * await todos.update(id, { done: true, due: unset() }); */
  update<T extends keyof S & string>(id: Id<T>, patch: Patch<S[T]>): Write<void>;
  /** Immer-like: the keys that fn changes on the draft become one update.
   * @example
   * await todos.edit(id, (draft) => { draft.title += "!"; }); */
  edit<T extends keyof S & string>(id: Id<T>, fn: (draft: S[T]) => void): Write<void>;
  /** Removes an object.
   * @example
   * await todos.remove(id); */
  remove(id: UUID): Write<void>;
  /** One atomic action of several ops, with guards: all of it stands or nothing does, here and where it reaches the log. One that
      does not stand here rejects, and nothing is written; what fn throws comes back as it is. Paths of errors begin with the number
      of the op, or with /if and that of the guard. A transaction without ops makes no action.
   * @example
   * await todos.transact((tx) => {
   *   if (tx.get(id)?.done) tx.remove(id);
   *   tx.create("todo", { title: "The next one", done: false });
   * }); */
  transact(fn: (tx: Transaction<S>) => undefined | void): Write<void>;

  /** Resolves when the runtime is there. Rows that were stored can be read before, from the moment that `stream()` gives the stream: they, `isPending`,
      `head` and the counts in `status` are exact as of the last record that this browser had stored. What is written before waits, in order, shows when
      it is made (the functions of edit and transact run then), and rejects where the runtime has not come after 20 seconds; this rejects then, too.
   * @example
   * await todos.ready; // from here on pending() and its like are known */
  readonly ready: Promise<void>;

  // reads: synchronous, frozen, identical object until it changes
  /** One object; undefined where there is none.
   * @example
   * const title = todos.get(id)?.title; */
  get<T extends keyof S & string>(id: Id<T>): Row<S, T> | undefined;
  /** The objects that a query asks for, in its order.
   * @example
   * const open = todos.query({ type: "todo", where: { done: false }, orderBy: [{ key: "title", direction: "desc" }], limit: 50 }); */
  query<T extends keyof S & string>(q?: Query<S, T>): readonly Row<S, T>[];
  /** How many rows query would give.
   * @example
   * const left = todos.count({ where: { done: false } }); */
  count(q?: Query<S>): number;
  /** The rows of a query, or one object, as a value that follows it; and what the stream tells of itself. It costs nothing while nobody has subscribed to it.
   * @example
   * const left = todos.live.count({ where: { done: false } });
   * left.subscribe((n) => { badge.textContent = String(n); }); */
  readonly live: StreamLive<S>;
  /** Called with the rows when this has returned, then after every change of them, once per turn, in a microtask. Writes in fn are
      allowed and notify in the next one; what fn throws goes to `log`.
   * @example
   * using end = todos.subscribe({ where: { done: false } }, (rows) => { list.replaceChildren(...rows.map(item)); }); */
  subscribe<T extends keyof S & string>(q: Query<S, T>, fn: (rows: readonly Row<S, T>[], change: Change) => void, options?: Until): Ending;

  // sync state
  /** How it stands with the server.
   * @example
   * if (todos.status.state === "held") askToSignIn(); */
  readonly status: StreamStatus;
  /** The index in the server's log up to which this browser has everything.
   * @example
   * console.log(`all up to entry ${todos.head} is here`); */
  readonly head: number;
  /** The actions that are not in the server's log yet, in order; those that name the object, where one is given. null before `ready`: it is not known yet.
   * @example
   * const waiting = todos.pending()?.length ?? 0; */
  pending(id?: UUID): readonly Action[] | null;
  /** Whether an action that names the object is not in the server's log yet.
   * @example
   * badge.hidden = !todos.isPending(id); */
  isPending(id: UUID): boolean;
  /** Resolves when all that is pending now is persisted (or rejected). While the stream is offline, held or stopped it waits: see status.
   * @example
   * await todos.settled(); // the server has all of it */
  settled(): Promise<void>;
  /** What became of an action of this client, also of one that was made before a reload: as `persisted` of its write. NotFoundError
      for one that this client has not made, or long ago: the last 10,000 are remembered.
   * @example
   * const index = await todos.persisted(action); */
  persisted(action: UUID): Promise<number>;
  /** Whether an object may be written now, or why not: it is not there, another client has locked it, or the server is out of reach (conflict-free mode; `starting` there before `ready`).
   * @example
   * input.disabled = todos.writable(id) !== "yes"; */
  writable(id: UUID): "yes" | "offline" | "locked" | "missing" | "starting";

  // what did not go as meant
  /** What the server refused for good, with what builds on it, newest first; it stays until it is retried or discarded. null before `ready`.
   * @example
   * for (const { action, code, message } of todos.rejected() ?? []) console.log(action.id, code, message); */
  rejected(): readonly Rejected[] | null;
  /** Makes a refused action again, with the same ops and guards, and takes it off the list in the same step. A patch is laid over its one create or update.
   * @example
   * await todos.retry(action, { title: "Shorter" }); */
  retry(action: UUID, patch?: Patch): Write<void>;
  /** Takes a refused action off the list, for good. Resolves when that is durable.
   * @example
   * await todos.discard(action); */
  discard(action: UUID): Promise<void>;
  /** Writes of this browser that lost, and those that replaced one which they had not seen; newest first, durable, the last 1,000. null before `ready`.
   * @example
   * const lost = (todos.conflicts() ?? []).filter((conflict) => conflict.kind === "overwritten"); */
  conflicts(): readonly Conflict[] | null;
  /** The last eight times that another log took the place of the one that was followed, newest first, durable; null before `ready`. See the event `reset`.
   * @example
   * const lost = (todos.resets() ?? []).flatMap((reset) => [...reset.dropped, ...reset.lost]); */
  resets(): readonly Reset[] | null;
  /** Where the local log is damaged (status `stopped`, reason `corrupt`), what can be read is shown, and nothing can be written. This reads the stream anew from the server, and sends
      once what can be read here of what was not sent. Resolves when it can be written to again; without a network, when that is back. `resets()` tells what became of what.
   * @example
   * todos.on("status", ({ reason }) => { if (reason === "corrupt") void todos.repair(); }); */
  repair(): Promise<void>;
  /** Writes the value that lost again, as a new action; none where it stands already. NotFoundError where the object is not there.
   * @example
   * for (const conflict of todos.conflicts() ?? []) await todos.restore(conflict); */
  restore(conflict: Conflict): Write<void>;
  /** Makes an object what it was after a change of its history, in one action: also one that was removed since. The action is the nil UUID where it is that already.
   * @example
   * const { changes } = await todos.history(id);
   * await todos.restore(changes[0]!); // as it was made */
  restore(change: ObjectChange): Write<void>;
  /** Who has changed an object, what and when: asked of the server, entry by entry, oldest first, the last 1,000. What is pending here is not in it. Rows are as they are kept.
   * @example
   * for (const { at, by, kind, changed } of (await todos.history(id)).changes) console.log(new Date(at), by, kind, changed); */
  history(id: Id): Promise<ObjectHistory>;
  /** Takes back the last action of this browser that is in effect, as a new one; a key only while nobody else has written it since. One call or transaction
      is one step (each action of many rows; a group), whether it was sent or not, also after a reload (of what was sent the last 1,000 actions, of 128 KB). NothingToUndoError where there is none; an error too (`too-large`, `unknown`),
      and never another step in its place, where the last one is more than one action can take back, or only a checkpoint told of it.
   * @example
   * await todos.undo().catch((e) => { if (!(e instanceof NothingToUndoError)) throw e; }); */
  undo(): Write<{ skipped: readonly Skipped[] }>;
  /** Puts back what the last undo took, as long as nothing was written after it.
   * @example
   * await todos.redo(); */
  redo(): Write<{ skipped: readonly Skipped[] }>;
  /** What is written from here on is one step of undo, until what this gives is called or disposed of, or another group begins: what is typed between focus and blur.
      Other writes, and an undo, end the step as well.
   * @example
   * input.onfocus = () => { const end = todos.group(); input.addEventListener("blur", end, { once: true }); }; */
  group(): Ending;
  /** Whether there is something to undo, and to redo. null before `ready`.
   * @example
   * input.disabled = !todos.undoable()?.undo; */
  undoable(): { readonly undo: boolean; readonly redo: boolean } | null;

  /** Calls fn whenever the event happens. Gives a function that ends it.
   * @example
   * todos.on("rejected", ({ message }) => { banner.textContent = message; }); */
  on<E extends keyof StreamEvents>(event: E, fn: (e: StreamEvents[E]) => void, options?: Until): Ending;
  /** As close, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Lets what is written become durable, then lets go. Pending actions stay in the local database, and are not sent while it is closed. Where it was opened several
      times, the last one ends it.
   * @example
   * await todos.close(); */
  close(): Promise<void>;
  /** Resolves when it has ended, with the reason.
   * @example
   * void todos.closed.then((why) => { banner.textContent = why.message; }); */
  readonly closed: Promise<SyncError>;
}

/** Values of a stream that follow it: `stream.live(query)`, `stream.live(id)`, `stream.live.status`. */
export interface StreamLive<S = any> {
  /** The rows of a query: the same array, with the same objects, until they are others. */
  <T extends keyof S & string>(q?: Query<S, T>): Live<readonly Row<S, T>[], Change>;
  /** One object; undefined where there is none. */
  <T extends keyof S & string>(id: Id<T>): Live<Row<S, T> | undefined, Change>;
  /** How many rows a query has. */
  count(q?: Query<S>): Live<number, Change>;
  readonly status: Live<StreamStatus>;
  readonly pending: Live<readonly Action[] | null>;
  readonly rejected: Live<readonly Rejected[] | null>;
  readonly conflicts: Live<readonly Conflict[] | null>;
  readonly undoable: Live<{ readonly undo: boolean; readonly redo: boolean } | null>;
}

/** A promise of the local commit, with the later stage beside it. */
export interface Write<T> extends Promise<T> {
  /** The action's id; the nil UUID where nothing was written, and before `ready`.
   * @example
   * const write = todos.update(id, { done: true });
   * await write;
   * localStorage.setItem("last", write.action); */
  readonly action: UUID;
  /** The object's id, at once (create).
   * @example
   * const id = todos.create("todo", { title: "", done: false }).object; // no need to wait */
  readonly object: UUID;
  /** The index in the log (0 when only a checkpoint told of it); rejects with RejectedError, or ConflictError when the action was discarded whole.
      Ignoring it never raises unhandledrejection. After a reload: stream.persisted(action).
   * @example
   * await todos.update(id, { done: true }).persisted; // the server has it */
  readonly persisted: Promise<number>;
}

/** The ops of one action. What it gives to read is the state with those before it. */
export interface Transaction<S = any> {
  /** Gives the new object's id.
   * @example
   * await todos.transact((tx) => { const id = tx.create("todo", { title: "", done: false }); tx.update(id, { done: true }); }); */
  create<T extends keyof S & string>(type: T, fields: S[T], options?: { id?: Id<T> }): Id<T>;
  /** As of the stream.
   * @example
   * await todos.transact((tx) => { for (const { id } of tx.query({ where: { done: false } })) tx.update(id, { done: true }); }); */
  update<T extends keyof S & string>(id: Id<T>, patch: Patch<S[T]>): void;
  /** As of the stream.
   * @example
   * await todos.transact((tx) => { for (const { id } of tx.query({ where: { done: true } })) tx.remove(id); }); */
  remove(id: UUID): void;
  /** One object as the ops so far make it.
   * @example
   * await todos.transact((tx) => { if (!tx.get(id)?.done) tx.update(id, { done: true }); }); */
  get<T extends keyof S & string>(id: Id<T>): Row<S, T> | undefined;
  /** The objects that a query asks for, as the ops so far make them: those that they are about count as pending.
   * @example
   * await todos.transact((tx) => { if (tx.query({ type: "todo" }).length === 0) tx.create("todo", { title: "First", done: false }); }); */
  query<T extends keyof S & string>(q?: Query<S, T>): readonly Row<S, T>[];
  /** A guard: the whole action is discarded where it does not hold when it is applied.
   * @example
   * await todos.transact((tx) => { tx.require({ object: id, unchanged: true }); tx.update(id, { done: true }); }); */
  require(guard: Guard): void;
}

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

/** What ends a subscription before its function is called, or the signal is aborted: `using end = stream.on(…)`. */
export interface Ending {
  (): void;
  [Symbol.dispose](): void;
}

/** The signal that ends it, where one is given. */
export interface Until {
  readonly signal?: AbortSignal | undefined;
}

/** A value that follows what it is made of. Changes of rows say which. */
export interface Live<T, C = undefined> {
  /** The value now: the same object until it is another. While somebody has subscribed, it is the one that was told last.
   * @example
   * const rows = todos.live({ where: { done: false } }).current; */
  readonly current: T;
  /** Calls fn after each change, once per turn, in a microtask after it; not before it returns. Gives a function that ends it; so does the signal.
   * @example
   * const end = todos.live(id).subscribe((row) => { banner.textContent = row?.title ?? "removed"; }); */
  subscribe(fn: (value: T, change: C) => void, options?: Until): Ending;
  /** The value as it is, then as it becomes; who is slow is given the last one. */
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined>;
  /** Ends it: nobody is told any more. */
  [Symbol.dispose](): void;
}

/** An immutable data stream: append only, never a conflict. What is appended offline is sent in its order when there is a network, each entry
    once. On the server it speaks the Durable Streams Protocol, so that any client of that reads and writes it too. */
export interface DataStream {
  readonly name: string;
  /** "application/json" for one of JSON; "" while nobody has said. The option says it, or the first append, or the server. */
  readonly contentType: string;
  /** Appends an entry: JSON, or bytes where the stream is of another type. The promise resolves when IndexedDB has it; write.object is its id. More than
      1 MiB of bytes goes in parts, which go on where they were cut. JSON has 4 MiB at most.
   * @example
   * const write = readings.append({ celsius: 21.5 });
   * await write.persisted; // the server has it */
  append(value: Json | Uint8Array | Blob): Write<void>;
  /** Entries in order: those that are kept here, and what is pending. With `after`, those behind an offset ("-1": all), fetched where they are not here.
      A first read waits for the server for a moment, and gives what is here where it is out of reach.
   * @example
   * for (const entry of await readings.read({ limit: 100 })) console.log(entry.value); */
  read(options?: { after?: Offset; limit?: number }): Promise<readonly Entry[]>;
  /** One entry by its id, fetched where it is not here; undefined where there is none.
   * @example
   * const value = (await readings.get(id))?.value; */
  get(id: UUID): Promise<Entry | undefined>;
  /** Calls fn with what read would give, and again whenever that has changed; those before index `from` are as they were. What fn throws goes to `log`.
   * @example
   * using end = readings.subscribe((entries) => { banner.textContent = `${entries.length} readings`; }); */
  subscribe(fn: (entries: readonly Entry[], from: number) => void, options?: { after?: Offset } & Until): Ending;
  /** Behind the last entry that was fetched; "-1" for none. */
  readonly head: Offset;
  /** head: the entries of the log. */
  readonly status: StreamStatus;
  /** Resolves when all that is pending now is on the server (or refused).
   * @example
   * await readings.settled(); */
  settled(): Promise<void>;
  /** What a field of an object says to refer to an entry. An action with it, and those behind it, are not sent before the entry is on the server: await the
      append first.
   * @example
   * const photo = await photos.append(file), ref = photos.ref(id);
   * await todos.create("todo", { title: "With a photo", done: false, photo: ref }); */
  ref(entry: UUID | Write<void>): { $data: string; entry: UUID };
  /** Entries that the server refused for good. They wait until they are dealt with.
   * @example
   * for (const { id, message } of readings.rejected()) console.log(id, message); */
  rejected(): readonly RejectedEntry[];
  /** Forgets a refused entry.
   * @example
   * for (const { id } of readings.rejected()) await readings.discard(id); */
  discard(id: UUID): Promise<void>;
  /** Appends a refused entry again.
   * @example
   * for (const { id } of readings.rejected()) await readings.retry(id); */
  retry(id: UUID): Promise<void>;
  /** After the stream was deleted on the server (status.reason "gone"): goes on with a new one of its name. What is pending is sent to it; what was read of the old
      one is forgotten.
   * @example
   * if (readings.status.reason === "gone") await readings.restart(); */
  restart(): Promise<void>;
  /** Calls fn at each event until the function that it gives is called.
   * @example
   * readings.on("progress", ({ sent, size }) => { banner.textContent = `${Math.round((100 * sent) / size)} %`; }); */
  on<E extends keyof DataStreamEvents>(event: E, fn: (e: DataStreamEvents[E]) => void, options?: Until): Ending;
  [Symbol.asyncDispose](): Promise<void>;
  /** What it tells of itself, as values that follow it; entries as subscribe gives them, none before they are read.
   * @example
   * readings.live.entries().subscribe((entries) => { banner.textContent = `${entries.length} readings`; }); */
  readonly live: {
    readonly status: Live<StreamStatus>;
    readonly rejected: Live<readonly RejectedEntry[]>;
    /** How far the large entry is that is being sent; null where none is. */
    readonly progress: Live<Progress | null>;
    entries(options?: { after?: Offset }): Live<readonly Entry[]>;
  };
  /** Lets what was appended become durable, then lets go. Where it was opened several times, the last one ends it.
   * @example
   * await readings.close(); */
  close(): Promise<void>;
  /** Resolves when it has ended, with the reason. */
  readonly closed: Promise<SyncError>;
}

/** How a stream stands with the server. */
export type StreamStatus = {
  /** syncing: something is asked for, or more is to come. live: the last round trip brought all that there is. offline: no network. waiting: retry at `next`. held: no valid token, or (error `schema`) the
      server takes changes of newer code alone.
      stopped: cannot go on (reason or error says why); reading still works. */
  state: "starting" | "syncing" | "live" | "offline" | "waiting" | "held" | "stopped";
  reason: "upgrade" | "forbidden" | "corrupt" | "gone" | "exists" | null;
  head: number;
  pending: number;
  rejected: number;
  /** When the loop runs next (milliseconds of Date), and why it waits. */
  next: { at: number; because: string } | null;
  lastSynced: number | null;
  error: SyncError | null;
};

/** Every error has a stable code ([a-z][a-z0-9-]*), equal in Go, HTTP and here. What an app's own callback throws comes back as it is. */
export class SyncError extends Error { readonly code: string; readonly retryable: boolean; readonly cause?: unknown; toJSON(): object; }
/** Another client holds the object's lock. */
export class LockedError extends SyncError { readonly holder: UUID; }
/** The action was discarded whole, or would be. */
export class ConflictError extends SyncError {}
/** The server refused the action for good, or it builds on such a one. */
export class RejectedError extends SyncError { readonly action: Action; }
/** There is no such object or action. */
export class NotFoundError extends SyncError {}
/** The runtime was restarted while the call was open; whether it took effect is in pending(). What was not under way goes on by itself. */
export class RestartedError extends SyncError {}
/** In conflict-free mode: the object can be written only while the server is in reach. */
export class ReadOnlyOfflineError extends SyncError {}
/** There is no action to take back, or to put back. */
export class NothingToUndoError extends SyncError {}
/** A value, option or call that can never be right; path is a JSON pointer to the place. */
export class InvalidError extends SyncError { readonly path: string; }
/** The browser's storage is full: the write was taken back. */
export class QuotaError extends SyncError {}
/** The stream or database was closed or destroyed. */
export class ClosedError extends SyncError {}
/** What destroy would lose. */
export class UnsentError extends SyncError { readonly pending: number; }

// ---- the plain data behind these

/** leader: this context runs the loop for all that have the database open. streams: those that are open, data streams under "data:" and their name. */
export type Status = { online: boolean; leader: boolean; user: string | null; streams: { [name: string]: StreamStatus }; data: { [name: string]: StreamStatus } };
/** indexedDB: "ok"; or what is written is kept in memory only, and by the server: "lost" (a database was there, and cannot be had any more, or was taken away while it was
    open), "private" (the browser's mode), "unavailable", or "memory" (as the option `storage` says). persisted: the browser has promised not to evict. locks, backgroundSync, serviceWorker: whether it has them.
    rows: "differed" where stored rows were not those of the log; they were replaced. unviewed: how many rows their type's `view` has thrown for. loss: a database that was there when the page was last used is gone: when that was noticed, and how many actions were known to be unsent. */
export type Health = {
  indexedDB: "ok" | "lost" | "private" | "unavailable" | "memory";
  rows: "ok" | "differed";
  unviewed: number;
  persisted: boolean;
  quota: { usage: number; quota: number } | null;
  locks: boolean; backgroundSync: boolean; serviceWorker: boolean;
  loss: { at: number; unsent: number | null } | null;
};
/** One turn of the loop: at in Unix milliseconds, took in milliseconds; code is the error's that ended it, or empty. data names the data stream whose turn it was, else streams
    has the names of the action streams that were asked for (some, where they are many). status is HTTP's, 0 where nobody answered; bytes those of the bodies, both ways. */
export type WakeUp = {
  at: number; took: number; because: string; fetched: number; persisted: number; rejected: number; code: string; data: string; streams: string; status: number; bytes: number;
};
/** What no promise carries. */
export type LogEntry = { level: "info" | "warn" | "error"; code: string; message: string; stream?: string; cause?: unknown };

/** What the server refused, and why; because: the refused action that it builds on. at: when it was heard of, milliseconds of Date, or 0. */
export type Rejected = { action: Action; code: string; message: string; because: UUID | null; at: number };
/** One write that lost, or replaced one that its author had not seen. key is empty for the whole object. mine: what this browser wrote; theirs: what the other did;
    base: what both started from, as far as it is known. overwritten: theirs won. overwrote: mine did. discarded: mine does not stand, for a reason. gap: the entries base to
    index were not read one by one, so that nothing is told of them. other is null where nobody is known. index: the entry that decided it, at its time. */
export type Conflict = {
  object: UUID; key: string; kind: "overwritten" | "overwrote" | "discarded" | "gap"; reason: string | null;
  mine?: Json; theirs?: Json; base?: Json;
  action: UUID; other: { action: UUID; client: UUID; index: number } | null; index: number; at: number;
};
/** A place that an undo left as it is, because somebody has written it since. key is empty for the whole object. */
export type Skipped = { object: UUID; key: string };
/** Ids of the rows that came, changed and went, and whose writes did it. */
export type Change = { added: readonly UUID[]; changed: readonly UUID[]; removed: readonly UUID[]; origin: "local" | "remote" | "mixed" };
/** Opaque; sorts as a string. */
export type Offset = string;
/** One entry of a data stream. id: of the append, null where a client of another kind made it. offset: behind it; null while it is pending. */
export type Entry = { readonly id: UUID | null; readonly offset: Offset | null; readonly value: Json | Uint8Array; readonly pending: boolean };
/** An entry that the server refused, and why. */
export type RejectedEntry = { readonly id: UUID; readonly value: Json | Uint8Array; readonly code: string; readonly message: string; readonly at: number };
/** contentType: default "application/json", or what the first append is. keep: how much of the log is kept here: all, or the newest (blocks of up to 1,000 entries go at
    once, so that it may be more). */
export type DataStreamOptions = { contentType?: string; keep?: "all" | { entries?: number; bytes?: number } };
/** What became of the unsent actions and entries of a bundle, by their ids: pending here now; in the log, or here before; left, since the log may have them, or since they stand by what
    their maker has locked or seen. rejected: what had been refused where it was made; it is not taken over. */
export type Imported = { readonly imported: readonly UUID[]; readonly known: readonly UUID[]; readonly left: readonly UUID[]; readonly rejected: readonly Rejected[] };
/** How many bytes of a large entry the server has. */
export type Progress = { readonly id: UUID; readonly sent: number; readonly size: number };
/** Events of a data stream. */
export type DataStreamEvents = { status: StreamStatus; rejected: RejectedEntry; progress: Progress; closed: SyncError };
/** Events of a database, and what their listeners get. health: the browser has lost or refused storage, or promised to keep it. update: a tab or service worker runs a newer
    version (wasm), or has written what this one cannot read, so that it writes no more (database): load the app anew. */
export type DatabaseEvents = { status: Status; health: Health; update: { wasm: boolean; database: boolean }; closed: SyncError };
/** What an entry of the log has made of an object. by: who wrote it, as the server knows them. changed: the keys that have another value since. discarded: a reason, where nothing of it stood,
    else null. row: the object from then on, null where it is not there. */
export type ObjectChange = { index: number; at: number; by: string; client: UUID; action: UUID; kind: "create" | "update" | "remove"; changed: readonly string[]; discarded: string | null;
  object: UUID; row: KeptRow | null };
/** from: entries up to here are not told, since a checkpoint stands for them (0: all are told); row: the object as it was there. more: there were earlier changes than these.
    head: of the log, when it was asked. */
export type ObjectHistory = { changes: readonly ObjectChange[]; from: number; row: KeptRow | null; more: boolean; head: number };
/** Another log has taken the place of the one that was followed: its server was restored from a backup, or the log was deleted on purpose. Or the local log was damaged, and
    repaired: then unreadable counts the records and pages that could not be read; nobody knows what of this browser's stood there alone. What became of this
    browser's own actions that the log had before, by their ids. returned: they are pending again, and sent. refused: they would not stand any more; dropped: nothing of them stood before
    either; unknown: nobody can tell whether the log has them; lost: the log may lack them, and so does this browser. The refused and unknown ones are in `rejected()`, with the
    codes `reset`, `deleted`, `unknown`. common: up to this entry both logs are one, 0 where that is not known. */
export type Reset = {
  reason: "restored" | "deleted" | "repaired"; at: number; common: number;
  returned: readonly UUID[]; refused: readonly UUID[]; dropped: readonly UUID[]; unknown: readonly UUID[]; lost: readonly UUID[]; unreadable: number;
};
/** Events of a stream, and what their listeners get. */
export type StreamEvents = { status: StreamStatus; rejected: Rejected; conflict: Conflict; reset: Reset; closed: SyncError };
