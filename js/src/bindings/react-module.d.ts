// What the bindings use of React, 18 or later.
declare module "react" {
  export const version: string;
  export function useCallback<T extends (...args: never[]) => unknown>(fn: T, deps: readonly unknown[]): T;
  export function useEffect(effect: () => void | (() => void), deps: readonly unknown[]): void;
  export function useMemo<T>(make: () => T, deps: readonly unknown[]): T;
  export function useRef<T>(value: T): { current: T };
  export function useState<T>(value: T | (() => T)): [T, (next: T) => void];
  export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, now: () => T, onServer: () => T): T;
}
