// For Svelte 5.7 and later. What these give has getters, which templates, $derived and $effect follow; nothing is open, or subscribed to, while nobody reads them there.
import * as Reactivity from "svelte/reactivity";
import { Current, follow, LiveRows, needs, none, opened, opening, valueOf, type AnyQuery, type AnyRow, type Given, type Opened } from "./common.js";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Stream, StreamOptions } from "../../types/strandline.js";

needs("Svelte", "5.7", Reactivity.createSubscriber, undefined);
const { createSubscriber } = Reactivity;

/** Opens something while somebody reads it; what deps say is looked at with each reading. */
class Opening<T extends Database | Stream | DataStream> {
  readonly #deps: () => readonly unknown[];
  readonly #open: () => (() => Promise<T>) | null;
  #of: readonly unknown[] | null = null;
  #is: Opened<T> = opening;
  #subscribe: () => void = () => {};

  constructor(deps: () => readonly unknown[], open: () => (() => Promise<T>) | null) {
    this.#deps = deps;
    this.#open = open;
  }

  #read(): Opened<T> {
    const deps = this.#deps();
    if (!this.#of || deps.some((dep, i) => dep !== this.#of![i])) {
      const how = this.#open();
      this.#of = deps;
      this.#is = opening;
      this.#subscribe = createSubscriber((update) => {
        if (!how) return;
        const end = opened(how, (is) => {
          if (this.#of !== deps) return;
          this.#is = is;
          update();
        });
        return () => {
          if (this.#of === deps) this.#is = opening;
          end();
        };
      });
    }
    this.#subscribe();
    return this.#is;
  }

  get it(): T | undefined {
    return this.#read().it;
  }

  get error() {
    return this.#read().error;
  }
}

export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: Given<OpenOptions>) {
  return new Opening(() => [valueOf(options).name, valueOf(options).user, String(valueOf(options).server)], () => () => open(valueOf(options)));
}

export function useStream(db: Given<Database | undefined>, name: Given<string>, options?: StreamOptions) {
  return new Opening(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.stream(by, options) : null;
  });
}

export function useDataStream(db: Given<Database | undefined>, name: Given<string>, options?: DataStreamOptions) {
  return new Opening(() => [valueOf(db), valueOf(name)], () => {
    const of = valueOf(db), by = valueOf(name);
    return of ? () => of.data(by, options) : null;
  });
}

/** Follows what a getter gives. */
class Following<T> {
  readonly #live: () => Live<T, never> | undefined;
  readonly #current: Current<T>;
  #of: Live<T, never> | undefined;
  #subscribe: () => void = () => {};

  constructor(live: () => Live<T, never> | undefined, instead: T) {
    this.#live = live;
    this.#current = new Current(instead);
  }

  get current(): T {
    const live = this.#live();
    if (live && live !== this.#of) {
      this.#of = live;
      this.#subscribe = createSubscriber((update) => follow(live, update));
    }
    if (live) this.#subscribe();
    return this.#current.of(live);
  }
}

/** A live value is an object with methods, and no function: a getter is told from it. */
export function useLive<T>(live: Given<Live<T, never> | undefined>, instead: T) {
  return new Following(() => valueOf(live), instead);
}

export function useQuery(stream: Given<Stream | undefined>, query: Given<AnyQuery> = {}) {
  const rows = new LiveRows();
  return new Following<readonly AnyRow[]>(() => rows.of(valueOf(stream), valueOf(query)), none);
}

export function useRow(stream: Given<Stream | undefined>, id: Given<string>) {
  let of: Stream | undefined, by = "", live: Live<AnyRow | undefined, never> | undefined;
  return new Following<AnyRow | undefined>(() => {
    const now = valueOf(stream), next = valueOf(id);
    if (now !== of || next !== by) live = now?.live(next) as typeof live;
    [of, by] = [now, next];
    return live;
  }, undefined);
}

/** A live value as a store: `$rows`. */
export function toStore<T>(live: Live<T, never>) {
  return {
    subscribe(run: (value: T) => void): () => void {
      const current = new Current<T | undefined>(undefined), take = () => run(current.of(live as Live<T | undefined, never>) as T);
      const end = follow(live, take);
      take();
      return end;
    },
  };
}
