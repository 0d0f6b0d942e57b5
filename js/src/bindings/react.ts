// Hooks for React 18 and later. They use what every app can use: values that follow what they are made of, and opens that are counted.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Query, Row, Schema, Stream, StreamOptions, SyncError } from "../../types/strandline.js";

/** What is being opened: undefined until it is there. */
export type Opened<T> = { readonly it: T | undefined; readonly error: SyncError | undefined };

interface Ends {
  close(): Promise<void>;
  readonly closed: Promise<SyncError>;
}

const nothing = () => () => {};
const opening: Opened<never> = { it: undefined, error: undefined };

/** Opens something as long as a component is mounted, and tells of its end. */
function useOpened<T extends Ends>(open: (() => Promise<T>) | null, deps: readonly unknown[]): Opened<T> {
  const [opened, set] = useState<{ of: readonly unknown[]; is: Opened<T> }>({ of: deps, is: opening });
  useEffect(() => {
    if (!open) return;
    let mounted = true;
    const tell = (is: Opened<T>) => mounted && set({ of: deps, is });
    const made = open();
    made.then(
      (it) => {
        tell({ it, error: undefined });
        void it.closed.then((error) => tell({ it: undefined, error }));
      },
      (error: SyncError) => tell({ it: undefined, error }),
    );
    return () => {
      mounted = false;
      set({ of: deps, is: opening });
      made.then((it) => it.close()).catch(() => {}); // counted: who has it open beside this one keeps it
    };
  }, deps);
  return deps.every((dep, i) => dep === opened.of[i]) ? opened.is : opening; // what was opened for others is not shown for these
}

/** A database, open while the component is mounted. Its options are those of the first time, until name, user or server are others. */
export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: OpenOptions): Opened<Database> {
  return useOpened(() => open(options), [options.name, options.user, String(options.server)]);
}

/** A stream of a database, open while the component is mounted. */
export function useStream(db: Database | undefined, name: string, options?: StreamOptions): Opened<Stream> {
  return useOpened(db ? () => db.stream(name, options) : null, [db, name]);
}

/** A data stream of a database, open while the component is mounted. */
export function useDataStream(db: Database | undefined, name: string, options?: DataStreamOptions): Opened<DataStream> {
  return useOpened(db ? () => db.data(name, options) : null, [db, name]);
}

/** The value of anything live; what is given instead while there is none, and where it is rendered without a browser. */
export function useLive<T>(live: Live<T, never> | undefined, instead: T): T {
  const last = useRef<{ of: unknown; value: T }>({ of: undefined, value: instead });
  const now = () => {
    if (!live) return instead;
    try {
      last.current = { of: live, value: live.current };
    } catch {
      if (last.current.of !== live) return instead; // it has ended
    }
    return last.current.value;
  };
  const subscribe = useCallback((changed: () => void) => {
    try {
      return live ? live.subscribe(changed) : () => {};
    } catch {
      return nothing(); // it has ended
    }
  }, [live]);
  return useSyncExternalStore(subscribe, now, () => instead);
}

type AnyRow = Row<Schema, string>;
const none: readonly never[] = Object.freeze([]);

/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew by each render; one
    with functions or collators in it is taken as it was until deps are others. */
export function useQuery(stream: Stream | undefined, query: Query<Schema, string> = {}, deps: readonly unknown[] = []): readonly AnyRow[] {
  const live = useMemo(() => stream && (stream.live(query) as Live<readonly AnyRow[], never>), [stream, JSON.stringify(query), ...deps]);
  return useLive<readonly AnyRow[]>(live, none);
}

/** One object; undefined where there is none. */
export function useRow(stream: Stream | undefined, id: string): AnyRow | undefined {
  const live = useMemo(() => stream && (stream.live(id) as Live<AnyRow | undefined, never>), [stream, id]);
  return useLive<AnyRow | undefined>(live, undefined);
}
