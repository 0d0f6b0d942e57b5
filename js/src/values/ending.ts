// What ends something: a function, which `using` calls as well, and which a signal may.

export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

export interface Until {
  readonly signal?: AbortSignal | undefined;
}

export type Ending = (() => void) & Disposable;

/** Has end called once: by who calls or disposes of what this gives, or when the signal is aborted; at once where it is. Until then it is among those who are called when
    what they follow ends: a signal that lives longer is not to hold them. */
export function until(end: () => void, { signal }: Until = {}, among?: Set<() => void>): Ending {
  let over = false;
  const once = () => {
    if (over) return;
    over = true;
    among?.delete(once);
    signal?.removeEventListener("abort", once);
    end();
  };
  among?.add(once);
  signal?.addEventListener("abort", once);
  if (signal?.aborted) once();
  return Object.assign(once, { [dispose]: once });
}
