export { open } from "./opening.js";
export { FieldOp, increment, union, without } from "./json.js";
export {
  ClosedError,
  ConflictError,
  InvalidError,
  LockedError,
  NotFoundError,
  NothingToUndoError,
  QuotaError,
  ReadOnlyOfflineError,
  RejectedError,
  RestartedError,
  SyncError,
  UnsentError,
} from "./errors.js";
