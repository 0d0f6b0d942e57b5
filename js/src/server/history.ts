// What the server's log has made of one object.
import { kind, refusal, type Transport } from "./transport.js";
import { Failure } from "./failure.js";
import type { ObjectChange, ObjectHistory } from "../values/states.js";

const patience = { first: 60_000, next: 30_000 }; // the log is folded first

export async function historyOf(transport: Transport, stream: string, object: string): Promise<ObjectHistory> {
  if (transport.url === "") throw new Failure("unreachable", "no server was named");
  const told = await transport.ask(`/history?${new URLSearchParams({ stream, object }).toString()}`, { patience }, async (r) => {
    if (r.status !== 200 || kind(r) !== "application/json") throw await refusal(r);
    return (await r.json().catch((e: unknown) => Promise.reject(e instanceof SyntaxError ? new Failure("bad-answer", "the history cannot be read") : e))) as
      Omit<ObjectHistory, "changes"> & { changes: (Omit<ObjectChange, "at"> & { at: string })[] };
  });
  if (!Array.isArray(told.changes)) throw new Failure("bad-answer", "something else than a history came");
  const changes = told.changes.map((c) => ({ ...c, at: Date.parse(c.at), object, discarded: c.discarded ?? null, row: c.row ?? null }));
  return { changes, from: told.from, row: told.row ?? null, more: told.more, head: told.head };
}
