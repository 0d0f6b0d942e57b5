export { open } from "../life/opening.js";
export { unviewed } from "../values/sight.js";
export { bigint, bytes, date } from "../values/codecs.js";
export { FieldOp, increment, union, unset, without } from "../values/json.js";
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
} from "../values/errors.js";
