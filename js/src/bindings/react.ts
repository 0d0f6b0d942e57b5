// Hooks for React 18 and later. They use what every app can use: values that follow what they are made of, and opens that are counted.
import * as React from "react";
import { Current, follow, keyOf, needs, none, opened, opening, type AnyQuery, type AnyRow, type Opened } from "./common.js";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Stream, StreamOptions } from "../../types/strandline.js";

needs("React", "18", React.useSyncExternalStore, React.version);
const { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } = React;

/** Opens something as long as a component is mounted, and tells of its end. */
function useOpened<T extends Database | Stream | DataStream>(open: (() => Promise<T>) | null, deps: readonly unknown[]): Opened<T> {
  const [state, set] = useState<{ of: readonly unknown[]; is: Opened<T> }>({ of: deps, is: opening });
  useEffect(() => {
    if (!open) return;
    const end = opened(open, (is) => set({ of: deps, is }));
    return () => {
      set({ of: deps, is: opening });
      end();
    };
  }, deps);
  return deps.every((dep, i) => dep === state.of[i]) ? state.is : opening; // what was opened for others is not shown for these
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
  const current = useRef<Current<T> | null>(null);
  current.current ??= new Current(instead);
  const subscribe = useCallback((changed: () => void) => (live ? follow(live, changed) : () => {}), [live]);
  return useSyncExternalStore(subscribe, () => (live ? current.current!.of(live) : instead), () => instead);
}

/** The rows of a query, the same array until they are others; none while there is no stream. Queries that say the same may be made anew by each render; one
    with functions or collators in it is taken as it was until deps are others. */
export function useQuery(stream: Stream | undefined, query: AnyQuery = {}, deps: readonly unknown[] = []): readonly AnyRow[] {
  const live = useMemo(() => stream && (stream.live(query) as Live<readonly AnyRow[], never>), [stream, keyOf(query), ...deps]);
  return useLive<readonly AnyRow[]>(live, none);
}

/** One object; undefined where there is none. */
export function useRow(stream: Stream | undefined, id: string): AnyRow | undefined {
  const live = useMemo(() => stream && (stream.live(id) as Live<AnyRow | undefined, never>), [stream, id]);
  return useLive<AnyRow | undefined>(live, undefined);
}
