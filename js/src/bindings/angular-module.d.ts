// What the bindings use of Angular, 20 or later.
declare module "@angular/core" {
  type Writable<T> = (() => T) & { set(value: T): void; asReadonly(): () => T };
  export type Signal<T> = () => T;
  export const VERSION: { full: string } | undefined;
  export function computed<T>(fn: () => T, options?: { equal?: (a: T, b: T) => boolean }): () => T;
  export function effect(fn: (cleanup: (end: () => void) => void) => void): unknown;
  export function linkedSignal(...args: never[]): unknown;
  export function signal<T>(value: T): Writable<T>;
  export function untracked<T>(fn: () => T): T;
}
