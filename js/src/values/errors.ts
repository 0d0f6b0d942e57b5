// Errors as apps see them. The codes are those of the Go core and of the HTTP API.

export interface Problem {
  code: string;
  message: string;
  path?: string;
  retryable?: boolean;
  pending?: number;
  holder?: string;
}

export class SyncError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  constructor(p: Problem, cause?: unknown) {
    super(p.message, cause === undefined ? undefined : { cause });
    this.code = p.code;
    this.retryable = p.retryable ?? false;
    this.name = names.get(new.target) ?? "SyncError";
  }
  /** What a log that writes JSON keeps of it. */
  toJSON(): object {
    return { ...this, message: this.message };
  }
}

export class ConflictError extends SyncError {}
export class LockedError extends SyncError {
  readonly holder: string;
  constructor(p: Problem) {
    super(p);
    this.holder = p.holder ?? "";
  }
}
export class NotFoundError extends SyncError {}
export class QuotaError extends SyncError {}
export class ClosedError extends SyncError {}

export class ReadOnlyOfflineError extends SyncError {}
export class NothingToUndoError extends SyncError {}
export class RestartedError extends SyncError {}

export class InvalidError extends SyncError {
  readonly path: string;
  constructor(p: Problem) {
    super(p);
    this.path = p.path ?? "";
  }
}

export class RejectedError extends SyncError {
  readonly action: unknown;
  constructor(p: Problem, action: unknown) {
    super(p);
    this.action = action;
  }
}

export class UnsentError extends SyncError {
  readonly pending: number;
  constructor(p: Problem) {
    super(p);
    this.pending = p.pending ?? 0;
  }
}

// Minifiers rename classes; the names that people read in a console stay.
const names = new Map<unknown, string>([
  [ConflictError, "ConflictError"],
  [LockedError, "LockedError"],
  [NotFoundError, "NotFoundError"],
  [QuotaError, "QuotaError"],
  [ClosedError, "ClosedError"],
  [NothingToUndoError, "NothingToUndoError"],
  [ReadOnlyOfflineError, "ReadOnlyOfflineError"],
  [InvalidError, "InvalidError"],
  [RejectedError, "RejectedError"],
  [RestartedError, "RestartedError"],
  [UnsentError, "UnsentError"],
]);

const classes: { [code: string]: new (p: Problem) => SyncError } = {
  invalid: InvalidError,
  exists: InvalidError,
  "too-large": InvalidError,
  "not-found": NotFoundError,
  locked: LockedError,
  quota: QuotaError,
  closed: ClosedError,
  unsent: UnsentError,
  conflict: ConflictError,
  "nothing-to-undo": NothingToUndoError,
  "read-only-offline": ReadOnlyOfflineError,
};

/** Makes the error of a problem that the core tells. */
export function errorOf(p: Problem): SyncError {
  return new (classes[p.code] ?? SyncError)(p);
}

export function invalid(path: string, message: string): InvalidError {
  return new InvalidError({ code: "invalid", path, message: `invalid${path && ` at ${path}`}: ${message}` });
}
