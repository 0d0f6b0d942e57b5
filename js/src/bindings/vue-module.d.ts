// What the bindings use of Vue, 3.3 or later.
declare module "vue" {
  export type Ref<T> = { value: T };
  export type Given<T> = T | Ref<T> | (() => T);
  export type MaybeRefOrGetter<T> = Given<T>;
  export type ShallowRef<T> = Ref<T>;
  export const version: string;
  export function computed<T>(get: () => T): Ref<T>;
  export function shallowRef<T>(value: T): Ref<T>;
  export function toValue<T>(given: Given<T>): T;
  export function watch<T>(source: (() => T) | (() => T)[], fn: (now: T, before: T | undefined, cleanup: (end: () => void) => void) => void, options?: { immediate?: boolean; flush?: "sync" }): () => void;
}
