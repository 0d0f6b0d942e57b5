export { open } from "./database.js";
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
  SyncError,
  UnsentError,
} from "./errors.js";
