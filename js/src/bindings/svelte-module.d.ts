// What the bindings use of Svelte, 5.7 or later.
declare module "svelte/reactivity" {
  export function createSubscriber(start: (update: () => void) => (() => void) | void): () => void;
}
