// A record goes into a local log in one crossing of the border and comes back in one: request by request, through the driver, it takes thirty.

// What became of an append, as append.go has it. FAILED has the browser's error, or null where it told none; its outcome is not known.
const STORED = 0, LOST = 1, GONE = 2, FAILED = 3;

/**
 * Appends a record behind the last one, with what is shown at it or before: one transaction over the connection, whose end is told once. It throws
 * where the connection is closed, and then alone.
 *
 * @param {IDBDatabase} db
 * @param {boolean} strict flush to the disk
 * @param {number} limit milliseconds after which nobody waits any more
 * @param {(call: number, outcome: number, error: unknown) => void} done
 * @param {number} call told to done
 * @param {string} stream
 * @param {number} lsn of the record
 * @param {Uint8Array} record
 * @param {(number | string)[]} shown lsn and text in turn
 * @returns {IDBTransaction}
 */
export function append(db, strict, limit, done, call, stream, lsn, record, ...shown) {
  // The first record of a log, for which no checkpoint may be there either, needs meta as what is shown does.
  const stores = lsn > 0 && shown.length === 0 ? ["records"] : ["records", "meta"];
  const tx = db.transaction(stores, "readwrite", { durability: strict ? "strict" : "relaxed" });
  const records = tx.objectStore("records");
  let outcome = FAILED;
  /** @type {unknown} */
  let error = null;
  const end = () => {
    clearTimeout(timer);
    tx.oncomplete = tx.onabort = null;
    db.removeEventListener("close", closed);
    done(call, outcome, error);
  };
  // Chromium forgets what is under way where it closes the connection by force: nobody tells its end.
  const closed = () => {
    outcome = FAILED;
    end();
  };
  db.addEventListener("close", closed);
  const abort = () => {
    try {
      tx.abort();
    } catch {
      // it has ended, which is told
    }
  };
  const timer = setTimeout(() => {
    outcome = FAILED;
    end();
    abort();
  }, limit);
  tx.oncomplete = end;
  tx.onabort = () => {
    if (outcome === STORED) outcome = FAILED;
    if (outcome === FAILED) {
      error ??= tx.error;
      if (tx.error?.name === "ConstraintError") outcome = LOST;
    }
    end();
  };
  try {
    // Exactly the record before must be there: arrays sort after numbers.
    const keys = records.getAllKeys(IDBKeyRange.bound([stream, Math.max(lsn, 1) - 1], [stream, []], false, true), 2);
    keys.onsuccess = () => {
      const found = /** @type {[string, number][]} */ (/** @type {unknown} */ (keys.result));
      if (lsn === 0) outcome = found.length === 0 ? STORED : LOST;
      else if (found.length === 0) outcome = GONE;
      else outcome = found.length === 1 && found[0]?.[1] === lsn - 1 ? STORED : LOST;
      if (outcome !== STORED) abort();
    };
    records.add(record, [stream, lsn]);
    for (let i = 0; i < shown.length; i += 2) tx.objectStore("meta").put(shown[i + 1], [stream, /** @type {number} */ (shown[i])]);
  } catch (e) {
    error = e; // what was issued before must not stand alone
    abort();
  }
  return tx;
}
