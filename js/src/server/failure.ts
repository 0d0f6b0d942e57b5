// A request that has failed, in a way that says nothing for good.

/** wait is how many milliseconds the server asks for. */
export class Failure {
  constructor(
    readonly code: string,
    readonly message: string,
    readonly wait = 0,
    readonly cause?: unknown,
    readonly path = "",
  ) {}
}

/** Anything thrown as a failure. */
export function failureOf(e: unknown): Failure {
  if (e instanceof Failure) return e;
  const { code = "internal", message } = e as { code?: string; message: string };
  return new Failure(code, message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message, 0, e);
}

/** A failure as the core has it. */
export const problemOf = (f: Failure) => ({ code: f.code, message: f.message, path: f.path, cause: f.cause === undefined ? "" : String(f.cause) });
