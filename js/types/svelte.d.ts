// For Svelte 5.7 and later. What these give has getters: templates, $derived and $effect follow them. It is open, or subscribed to, as long as something reads it there.
import type { Coding, Database, DataStream, DataStreamOptions, Id, Inferred, Live, OpenOptions, Query, Row, Schema, SchemaOf, Shapes, Stream, StreamArgs, StreamOptions, SyncError } from "./strandline.js";

/** A value, or a function that gives it. */
export type Given<T> = T | (() => T);

/** What is being opened: undefined until it is there, and from its end on, with the reason. */
export interface Opened<T> { readonly it: T | undefined; readonly error: SyncError | undefined }

/** A database, open while a component reads it. Its options are those of the first time, until name, user or server are others.
 * @example
 * import { open } from "strandline";
 * import { useDatabase, useQuery, useStream } from "strandline/svelte";
 *
 * const db = useDatabase(open, { name: "my-app", server: location.origin });
 * const todos = useStream(() => db.it, "lists/42");
 * const rows = useQuery(() => todos.it, { type: "todo", where: { done: false } }); // {#each rows.current as row (row.id)} */
export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: Given<OpenOptions>): Opened<Database>;
/** A stream of a database, open while a component reads it; none where there is no database yet. Its options are those of the first time. */
export function useStream<const V extends Shapes>(db: Given<Database | undefined>, name: Given<string>, options: Omit<StreamOptions, "schema"> & { readonly schema: V & Coding<V> }): Opened<Stream<Inferred<V>>>;
/** The same, with a schema given by hand, or with any. */
export function useStream<S extends SchemaOf<S> = Schema>(db: Given<Database | undefined>, name: Given<string>, ...options: StreamArgs<S>): Opened<Stream<S>>;
/** A data stream of a database, open while a component reads it; none where there is no database yet. */
export function useDataStream(db: Given<Database | undefined>, name: Given<string>, options?: DataStreamOptions): Opened<DataStream>;
/** The value of anything live (`stream.live(…)`, `stream.live.status`, `data.live.entries()`). What is given instead stands while there is none, and where it is rendered
    without a browser. */
export function useLive<T>(live: Given<Live<T, never> | undefined>, instead: T): { readonly current: T };
/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew. */
export function useQuery<S, T extends keyof S & string = keyof S & string>(stream: Given<Stream<S> | undefined>, query?: Given<Query<S, T>>): { readonly current: readonly Row<S, T>[] };
/** One object; undefined where there is none. */
export function useRow<S, T extends keyof S & string = keyof S & string>(stream: Given<Stream<S> | undefined>, id: Given<Id<T>>): { readonly current: Row<S, T> | undefined };
/** A live value as a store, for `$rows`, and for Svelte's own tools. */
export function toStore<T>(live: Live<T, never>): { subscribe(run: (value: T) => void): () => void };
