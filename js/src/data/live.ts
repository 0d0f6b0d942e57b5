// The entries of a data stream as a value that follows them.
import type { Entry } from "./entries.js";
import type { Kit } from "./kit.js";
import type { DataStream } from "./stream.js";
import type { LiveValue } from "../values/live.js";

export function liveEntries(stream: DataStream, { Signal, LiveValue }: Kit, thrown: (e: unknown) => void, options?: { after?: string }): LiveValue<readonly Entry[]> {
  let entries: readonly Entry[] = Object.freeze([]);
  const signal = new Signal(() => entries, thrown);
  void stream.closed.then(() => signal.end());
  const watch = signal.watch.bind(signal);
  signal.watch = (tell) => {
    const end = stream.subscribe((all) => {
      entries = all;
      signal.changed();
    }, options);
    const watched = watch(tell);
    return {
      get value() {
        return watched.value;
      },
      end() {
        watched.end();
        end();
      },
    };
  };
  return new LiveValue(signal);
}
