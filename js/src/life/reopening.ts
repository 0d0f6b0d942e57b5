// A stream that is open here, in a program that has taken the place of another one, or that is the first.
import { errorOf, type SyncError } from "../values/errors.js";
import type { LogEntry } from "../values/options.js";
import type { Runtime } from "../program/runtime.js";
import type { Stream } from "../streams/stream.js";

interface Host {
  ended(): boolean;
  failed(entry: LogEntry): void;
}

const tries = 5; // of a storage that fails at this moment

/** Opens it in a program's database, and gives what is to be called when all of them are there. */
export function reopen(runtime: Runtime, db: number, stream: Stream, host: Host, tried = 0): Promise<(() => void)[]> {
  return new Promise((resolve, reject) => {
    runtime.onDeath.add(reject);
    const read = runtime.memory.reading();
    runtime.host.stream(db, stream.name, stream.options.conflictFree, stream.options.conflicts, stream.observer, (problem, handle, client) => {
      read();
      const end = <T>(f: (value: T) => void, value: T) => {
        runtime.onDeath.delete(reject);
        f(value);
      };
      if (problem?.code === "storage" && tried < tries && !host.ended()) {
        setTimeout(() => reopen(runtime, db, stream, host, tried + 1).then((calls) => end(resolve, calls), (e: unknown) => end(reject, e as SyncError)), 200 << tried);
        return;
      }
      try {
        if (problem) {
          host.failed({ level: "error", code: problem.code, message: `stream ${stream.name}: ${problem.message}`, stream: stream.name });
          stream.end(errorOf(problem));
        } else if (stream.life.ended) runtime.host.closeStream(handle, () => {}); // meanwhile
        end(resolve, problem || stream.life.ended ? [] : stream.attach(runtime, handle, client));
      } catch (e) {
        end(reject, e as SyncError);
      }
    });
  });
}
