// For Angular 20 and later: signals, made in an injection context (a field of a component will do).
import type { Coding, Database, DataStream, DataStreamOptions, Id, Inferred, Live, OpenOptions, Query, Row, Schema, SchemaOf, Shapes, Stream, StreamArgs, StreamOptions, SyncError } from "./strandline.js";

import type { Signal } from "@angular/core";

/** A value, or a function that gives it. */
export type Given<T> = T | (() => T);

/** What is being opened: undefined until it is there, and from its end on, with the reason. */
export interface Opened<T> { readonly it: Signal<T | undefined>; readonly error: Signal<SyncError | undefined> }

/** A database, open as long as the component (or injector) is. Its options are those of the first time, until name, user or server are others.
 * @example
 * import { open } from "strandline";
 * import { injectDatabase, injectQuery, injectStream } from "strandline/angular";
 *
 * class List {
 *   db = injectDatabase(open, { name: "my-app", server: location.origin });
 *   todos = injectStream(this.db.it, "lists/42");
 *   rows = injectQuery(this.todos.it, { type: "todo", where: { done: false } }); // @for (row of rows(); track row.id)
 * } */
export function injectDatabase(open: (options: OpenOptions) => Promise<Database>, options: Given<OpenOptions>): Opened<Database>;
/** A stream of a database, open as long as the component (or injector) is; none where there is no database yet. Its options are those of the first time. */
export function injectStream<const V extends Shapes>(db: Given<Database | undefined>, name: Given<string>, options: Omit<StreamOptions, "schema"> & { readonly schema: V & Coding<V> }): Opened<Stream<Inferred<V>>>;
/** The same, with a schema given by hand, or with any. */
export function injectStream<S extends SchemaOf<S> = Schema>(db: Given<Database | undefined>, name: Given<string>, ...options: StreamArgs<S>): Opened<Stream<S>>;
/** A data stream of a database, open as long as the component (or injector) is; none where there is no database yet. */
export function injectDataStream(db: Given<Database | undefined>, name: Given<string>, options?: DataStreamOptions): Opened<DataStream>;
/** The value of anything live (`stream.live(…)`, `stream.live.status`, `data.live.entries()`). What is given instead stands while there is none, and where it is rendered
    without a browser. */
export function injectLive<T>(live: Given<Live<T, never> | undefined>, instead: T): Signal<T>;
/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew. */
export function injectQuery<S, T extends keyof S & string = keyof S & string>(stream: Given<Stream<S> | undefined>, query?: Given<Query<S, T>>): Signal<readonly Row<S, T>[]>;
/** One object; undefined where there is none. */
export function injectRow<S, T extends keyof S & string = keyof S & string>(stream: Given<Stream<S> | undefined>, id: Given<Id<T>>): Signal<Row<S, T> | undefined>;
