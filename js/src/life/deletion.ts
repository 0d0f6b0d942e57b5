// The end of a database on purpose: nothing unsent is lost without a word, and no other context takes it for a loss.
import type { Contexts } from "./contexts.js";
import type { DataStreams } from "./datastreams.js";
import type { Keeper } from "./keeper.js";
import { answer, type Programs } from "./programs.js";
import { ClosedError, SyncError, UnsentError } from "../values/errors.js";

const limit = 5000; // milliseconds that a browser may take

/** A database. */
interface Of {
  readonly programs: Programs;
  readonly keeper: Keeper;
  readonly dataStreams: DataStreams;
  readonly contexts: Contexts;
  /** The name that its contexts share. */
  readonly shared: string;
  /** It has ended. */
  end(why: SyncError): void;
}

/** Deletes it, where nothing waits for the server, or by force. */
export async function destroy({ programs, keeper, dataStreams, contexts, shared, end }: Of, force: boolean): Promise<void> {
  await programs.up();
  const { unread } = keeper;
  if (unread && !force) throw new SyncError({ code: "storage", message: "storage: the local database cannot be read; what it holds unsent is not known", retryable: true });
  const data = await dataStreams.any().catch((e: unknown) => deleteUnread(shared, e, force));
  if (data) {
    const pending = await data.leave(force);
    if (pending > 0) throw new UnsentError({ code: "unsent", pending, message: `unsent: ${pending} entries of data streams are not on the server` });
  }
  const destroys = (yes: boolean) => {
    keeper.destroying(yes);
    contexts.shout({ destroying: yes });
  };
  destroys(true); // else the others would take it for lost
  try {
    // Where the program dies of it, the next one deletes what is there.
    await programs.ask<void>((seat, resolve, reject) => {
      seat.leaving();
      seat.host.destroy(seat.handle, force, (problem) => {
        if (problem) seat.leaving(false);
        answer(resolve, reject)(problem);
      });
    });
    if (!keeper.custody.durable) await deleted(shared).catch((e: unknown) => unread && Promise.reject(e as Error));
  } catch (e) {
    destroys(false);
    await data?.stay().catch(() => {});
    throw e;
  }
  // Who hears of the end may make it anew at once.
  const why = new ClosedError({ code: "closed", message: "the database was destroyed" });
  try {
    await data?.close(why);
    await data?.store.destroy();
  } finally {
    keeper.forget();
    contexts.shout({ destroyed: true });
    end(why);
  }
}

/** Deletes a database of the browser's that this context has not open. */
function deleted(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new SyncError({ code: "storage", message: "storage: the browser does not delete the database", retryable: true }));
    if (!globalThis.indexedDB) return resolve();
    setTimeout(failed, limit);
    try {
      const r = indexedDB.deleteDatabase(name);
      r.onsuccess = () => resolve();
      r.onerror = failed;
    } catch {
      failed();
    }
  });
}

/** Without the script nobody knows what the data streams would lose: they are deleted by force only. */
function deleteUnread(shared: string, e: unknown, force: boolean): null {
  if (!force) throw e;
  indexedDB.deleteDatabase(`${shared}/data`);
  return null;
}
