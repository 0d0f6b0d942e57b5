// Composables for Vue 3.3 and later. What they take may be values, refs or getters; what they give are refs.
import * as Vue from "vue";
import { Current, follow, LiveRows, needs, none, noPage, opened, opening, type AnyQuery, type AnyRow, type Opened } from "./common.js";
import type { Database, DataStream, DataStreamOptions, Live, OpenOptions, Stream, StreamOptions } from "../../types/strandline.js";

needs("Vue", "3.3", Vue.toValue, Vue.version);
const { computed, shallowRef, toValue, watch } = Vue;

/** Opens what a getter says, as long as the scope lives, and again where it says something else. */
function useOpened<T extends Database | Stream | DataStream>(deps: (() => unknown)[], open: () => (() => Promise<T>) | null) {
  const state = shallowRef<Opened<T>>(opening);
  if (!noPage) {
    watch(deps, (_now, _before, cleanup) => {
      const how = open();
      state.value = opening;
      if (how) cleanup(opened(how, (is) => (state.value = is)));
    }, { immediate: true });
  }
  return { it: computed(() => state.value.it), error: computed(() => state.value.error) };
}

export function useDatabase(open: (options: OpenOptions) => Promise<Database>, options: Vue.Given<OpenOptions>) {
  return useOpened([() => toValue(options).name, () => toValue(options).user, () => String(toValue(options).server)], () => () => open(toValue(options)));
}

export function useStream(db: Vue.Given<Database | undefined>, name: Vue.Given<string>, options?: StreamOptions) {
  return useOpened([() => toValue(db), () => toValue(name)], () => {
    const of = toValue(db);
    return of ? () => of.stream(toValue(name), options) : null;
  });
}

export function useDataStream(db: Vue.Given<Database | undefined>, name: Vue.Given<string>, options?: DataStreamOptions) {
  return useOpened([() => toValue(db), () => toValue(name)], () => {
    const of = toValue(db);
    return of ? () => of.data(toValue(name), options) : null;
  });
}

export function useLive<T>(live: Vue.Given<Live<T, never> | undefined>, instead: T): Vue.Ref<T> {
  const current = new Current(instead), value = shallowRef(instead);
  if (!noPage) {
    watch(() => toValue(live), (now, _before, cleanup) => {
      const take = () => (value.value = current.of(now));
      if (now) cleanup(follow(now, take));
      take();
    }, { immediate: true, flush: "sync" });
  }
  return value;
}

export function useQuery(stream: Vue.Given<Stream | undefined>, query: Vue.Given<AnyQuery> = {}): Vue.Ref<readonly AnyRow[]> {
  const rows = new LiveRows();
  return useLive<readonly AnyRow[]>(() => rows.of(toValue(stream), toValue(query)), none);
}

export function useRow(stream: Vue.Given<Stream | undefined>, id: Vue.Given<string>): Vue.Ref<AnyRow | undefined> {
  const live = computed(() => toValue(stream)?.live(toValue(id)) as Live<AnyRow | undefined, never> | undefined);
  return useLive<AnyRow | undefined>(live, undefined);
}
