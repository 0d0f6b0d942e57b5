// Composables for Vue 3.3 and later. Keep what they open in refs of theirs, or in a shallowRef: Vue's reactive() wraps objects, and breaks these.
import type { Coding, Database, DataStream, DataStreamOptions, Id, Inferred, Live, OpenOptions, Query, Row, Schema, SchemaOf, Shapes, Stream, StreamArgs, StreamOptions, SyncError } from "./strandline.js";

import type { MaybeRefOrGetter, ShallowRef } from "vue";

/** What is being opened: undefined until it is there, and from its end on, with the reason. */
export interface Opened<T> { readonly it: Readonly<ShallowRef<T | undefined>>; readonly error: Readonly<ShallowRef<SyncError | undefined>> }

/** A database, open as long as the component (or effect scope) is. Its options are those of the first time, until name, user or server are others.
 * @example
 * import { open } from "strandline";
 * import { useDatabase, useQuery, useStream } from "strandline/vue";
 *
 * const { it: db } = useDatabase(open, { name: "my-app", server: location.origin });
 * const { it: todos, error } = useStream(db, "lists/42");
 * const rows = useQuery(todos, () => ({ type: "todo", where: { done: false } })); // rows.value */
export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: MaybeRefOrGetter<OpenOptions>): Opened<Database>;
/** A stream of a database, open as long as the component (or effect scope) is; none where there is no database yet. Its options are those of the first time. */
export function useStream<const V extends Shapes>(db: MaybeRefOrGetter<Database | undefined>, name: MaybeRefOrGetter<string>, options: Omit<StreamOptions, "schema"> & { readonly schema: V & Coding<V> }): Opened<Stream<Inferred<V>>>;
/** The same, with a schema given by hand, or with any. */
export function useStream<S extends SchemaOf<S> = Schema>(db: MaybeRefOrGetter<Database | undefined>, name: MaybeRefOrGetter<string>, ...options: StreamArgs<S>): Opened<Stream<S>>;
/** A data stream of a database, open as long as the component (or effect scope) is; none where there is no database yet. */
export function useDataStream(db: MaybeRefOrGetter<Database | undefined>, name: MaybeRefOrGetter<string>, options?: DataStreamOptions): Opened<DataStream>;
/** The value of anything live (`stream.live(…)`, `stream.live.status`, `data.live.entries()`). What is given instead stands while there is none, and where it is rendered
    without a browser. */
export function useLive<T>(live: MaybeRefOrGetter<Live<T, never> | undefined>, instead: T): Readonly<ShallowRef<T>>;
/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew. */
export function useQuery<S, T extends keyof S & string = keyof S & string>(stream: MaybeRefOrGetter<Stream<S> | undefined>, query?: MaybeRefOrGetter<Query<S, T>>): Readonly<ShallowRef<readonly Row<S, T>[]>>;
/** One object; undefined where there is none. */
export function useRow<S, T extends keyof S & string = keyof S & string>(stream: MaybeRefOrGetter<Stream<S> | undefined>, id: MaybeRefOrGetter<Id<T>>): Readonly<ShallowRef<Row<S, T> | undefined>>;
