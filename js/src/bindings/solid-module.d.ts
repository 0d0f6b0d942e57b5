// What the bindings use of Solid, 1.7 or later.
declare module "solid-js" {
  export function catchError(...args: never[]): unknown;
  export function createComputed(fn: () => void): void;
  export function createMemo<T>(fn: () => T, value?: T, options?: { equals?: (a: T, b: T) => boolean }): () => T;
  export function createSignal<T>(value: T, options?: { equals?: (a: T, b: T) => boolean }): [() => T, (value: T) => T];
  export function onCleanup(fn: () => void): void;
  export function untrack<T>(fn: () => T): T;
}
