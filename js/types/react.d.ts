// Hooks for React 18 and later.
import type { Coding, Database, DataStream, DataStreamOptions, Id, Inferred, Live, OpenOptions, Query, Row, Schema, SchemaOf, Shapes, Stream, StreamArgs, StreamOptions, SyncError } from "./strandline.js";

/** What is being opened: undefined until it is there, and from its end on, with the reason. */
export type Opened<T> = { readonly it: T | undefined; readonly error: SyncError | undefined };

/** A database, open while the component is mounted. Its options are those of the first time, until name, user or server are others. */
export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: OpenOptions): Opened<Database>;
/** A stream of a database, open while the component is mounted; none where there is no database yet. Its options are those of the first time. */
export function useStream<const V extends Shapes>(db: Database | undefined, name: string, options: Omit<StreamOptions, "schema"> & { readonly schema: V & Coding<V> }): Opened<Stream<Inferred<V>>>;
/** The same, with a schema given by hand, or with any. */
export function useStream<S extends SchemaOf<S> = Schema>(db: Database | undefined, name: string, ...options: StreamArgs<S>): Opened<Stream<S>>;
/** A data stream of a database, open while the component is mounted; none where there is no database yet. */
export function useDataStream(db: Database | undefined, name: string, options?: DataStreamOptions): Opened<DataStream>;
/** The value of anything live (`stream.live(…)`, `stream.live.status`, `data.live.entries()`): keep it with useMemo. What is given instead stands while there is none, and
    where it is rendered without a browser. */
export function useLive<T>(live: Live<T, never> | undefined, instead: T): T;
/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew by each render; one with
    functions or collators in it is taken as it was until deps are others. */
export function useQuery<S, T extends keyof S & string = keyof S & string>(stream: Stream<S> | undefined, query?: Query<S, T>, deps?: readonly unknown[]): readonly Row<S, T>[];
/** One object; undefined where there is none. */
export function useRow<S, T extends keyof S & string = keyof S & string>(stream: Stream<S> | undefined, id: Id<T>): Row<S, T> | undefined;
