// For Solid 1.7 and later. What these take may be values or accessors; what they give are accessors.
import * as Solid from "solid-js";
import { alike, Current, follow, LiveRows, needs, none, noPage, opened, opening, valueOf, type AnyQuery, type AnyRow, type Given, type Opened } from "./common.js";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Stream, StreamOptions } from "../../types/strandline.js";

needs("Solid", "1.7", Solid.catchError, undefined);
const { createComputed, createMemo, createSignal, onCleanup, untrack } = Solid;

/** Opens what deps say, as long as the owner lives, and again where they say something else. */
function useOpened<T extends Database | Stream | DataStream>(deps: () => readonly unknown[], open: () => (() => Promise<T>) | null) {
  const [state, set] = createSignal<Opened<T>>(opening);
  if (!noPage) {
    const of = createMemo(deps, [], { equals: alike });
    createComputed(() => {
      of();
      const how = untrack(open);
      set(opening);
      if (how) onCleanup(opened(how, (is) => set(is)));
    });
  }
  return { it: () => state().it, error: () => state().error };
}

export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: Given<OpenOptions>) {
  return useOpened(() => [valueOf(options).name, valueOf(options).user, String(valueOf(options).server)], () => () => open(valueOf(options)));
}

export function useStream(db: Given<Database | undefined>, name: Given<string>, options?: StreamOptions) {
  return useOpened(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.stream(by, options) : null;
  });
}

export function useDataStream(db: Given<Database | undefined>, name: Given<string>, options?: DataStreamOptions) {
  return useOpened(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.data(by, options) : null;
  });
}

export function useLive<T>(live: Given<Live<T, never> | undefined>, instead: T): () => T {
  const current = new Current(instead);
  const [value, set] = createSignal<{ is: T }>({ is: instead }, { equals: (a, b) => a.is === b.is });
  if (!noPage) {
    const of = createMemo(() => valueOf(live));
    createComputed(() => {
      const now = of(), take = () => void set({ is: current.of(now) });
      if (now) onCleanup(follow(now, take));
      take();
    });
  }
  return () => value().is;
}

export function useQuery(stream: Given<Stream | undefined>, query: Given<AnyQuery> = {}): () => readonly AnyRow[] {
  const rows = new LiveRows();
  return useLive<readonly AnyRow[]>(() => rows.of(valueOf(stream), valueOf(query)), none);
}

export function useRow(stream: Given<Stream | undefined>, id: Given<string>): () => AnyRow | undefined {
  const live = noPage ? undefined : createMemo(() => valueOf(stream)?.live(valueOf(id)) as Live<AnyRow | undefined, never> | undefined);
  return useLive<AnyRow | undefined>(() => live?.(), undefined);
}
