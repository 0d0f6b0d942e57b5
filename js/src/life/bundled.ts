// What a bundle is made of, and what takes over of one: a database, as the script of bundles sees it.
import type { Database } from "./database.js";
import type { DataStreams } from "./datastreams.js";
import type { Programs } from "./programs.js";
import type { Of } from "../bundle/bundle.js";
import type { Stream } from "../streams/stream.js";
import { errorOf, invalid } from "../values/errors.js";
import { newID } from "../values/ids.js";

export function bundled(db: Database, programs: Programs, open: () => readonly Stream[], data: DataStreams, online: boolean): Of {
  return {
    name: db.name, user: db.user, shared: db.shared, version: programs.seat?.runtime.stamp ?? "", online, newID, invalid,
    flushed: () => Promise.all([...open().map((stream) => stream.flushed()), data.now?.flushed]),
    told: async () => ({ status: db.status, health: await db.health(), turns: db.trace() }),
    names: () => programs.names(),
    stored: (name, redact) => programs.ask(({ host, handle }, resolve, reject) =>
      host.bundle(handle, name, redact, (problem, things, stand) => (problem ? reject(errorOf(problem)) : resolve({ things, stand })))),
    data: () => data.any(),
    openData: (name, options) => db.data(name, options),
    open: async (name) => {
      const stream = await db.stream(name);
      await stream.ready;
      return stream;
    },
    sync: () => db.sync(),
  };
}
