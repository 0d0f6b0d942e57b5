// The rows of one stream in the program.
import { ABSENT, OK } from "../program/border.js";
import type { Runtime } from "../program/runtime.js";
import type { Source } from "../rows/rows.js";

export function sourceOf({ border: r }: Runtime, handle: number): Source {
  return {
    piece() {
      r.status(r.exports.strandline_changes(handle));
      return { text: r.text(), more: r.header[2] === 1, whole: r.header[3] === 1 };
    },
    row(id) {
      if (!r.inputID(id) || r.status(r.exports.strandline_row(handle)) === ABSENT) return undefined;
      return r.text();
    },
    size() {
      r.inputID("00000000-0000-0000-0000-000000000000");
      r.status(r.exports.strandline_row(handle));
      return r.header[2]!;
    },
    known(lsn) {
      return r.status(r.exports.strandline_known(handle, lsn)) === OK;
    },
    proof(begin) {
      r.status(r.exports.strandline_proof(handle, begin ? 1 : 0));
      return { text: r.text(), more: r.header[2] === 1, whole: false };
    },
    pending() {
      r.status(r.exports.strandline_pending_ids(handle));
      return r.text().match(/.{36}/g) ?? [];
    },
  };
}
