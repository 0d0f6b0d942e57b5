// For Angular 20 and later: signals, made in an injection context. What these take may be values or functions (signals are functions).
import * as Angular from "@angular/core";
import { alike, Current, follow, LiveRows, needs, none, noPage, opened, opening, valueOf, type AnyQuery, type AnyRow, type Given, type Opened } from "./common.js";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Stream, StreamOptions } from "../../types/strandline.js";

needs("@angular/core", "20", Angular.linkedSignal, Angular.VERSION?.full);
const { computed, effect, signal, untracked } = Angular;

/** Opens what deps say, as long as the context lives, and again where they say something else. */
function injectOpened<T extends Database | Stream | DataStream>(deps: () => readonly unknown[], open: () => (() => Promise<T>) | null) {
  const state = signal<Opened<T>>(opening);
  if (!noPage) {
    const of = computed(deps, { equal: alike });
    effect((cleanup) => {
      of();
      const how = untracked(open);
      state.set(opening);
      if (how) cleanup(opened(how, (is) => state.set(is)));
    });
  }
  return { it: computed(() => state().it), error: computed(() => state().error) };
}

export function injectDatabase(open: (options: OpenOptions) => Promise<Database>, options: Given<OpenOptions>) {
  return injectOpened(() => [valueOf(options).name, valueOf(options).user, String(valueOf(options).server)], () => () => open(untracked(() => valueOf(options))));
}

export function injectStream(db: Given<Database | undefined>, name: Given<string>, options?: StreamOptions) {
  return injectOpened(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.stream(by, options) : null;
  });
}

export function injectDataStream(db: Given<Database | undefined>, name: Given<string>, options?: DataStreamOptions) {
  return injectOpened(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.data(by, options) : null;
  });
}

export function injectLive<T>(live: Given<Live<T, never> | undefined>, instead: T): () => T {
  const current = new Current(instead), value = signal(instead);
  if (!noPage) {
    const of = computed(() => valueOf(live));
    effect((cleanup) => {
      const now = of(), take = () => value.set(current.of(now));
      if (now) cleanup(follow(now, take));
      untracked(take);
    });
  }
  return value.asReadonly();
}

export function injectQuery(stream: Given<Stream | undefined>, query: Given<AnyQuery> = {}): () => readonly AnyRow[] {
  const rows = new LiveRows();
  return injectLive<readonly AnyRow[]>(() => rows.of(valueOf(stream), valueOf(query)), none);
}

export function injectRow(stream: Given<Stream | undefined>, id: Given<string>): () => AnyRow | undefined {
  const live = computed(() => valueOf(stream)?.live(valueOf(id)) as Live<AnyRow | undefined, never> | undefined);
  return injectLive<AnyRow | undefined>(live, undefined);
}
