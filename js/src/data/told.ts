// What people are shown of a data stream: each value is the same object until it is another one. It decides nothing.
import type { DataLive, RejectedEntry } from "./entries.js";
import type { Kit } from "./kit.js";
import { liveEntries } from "./live.js";
import type { DataStream } from "./stream.js";
import type { Ending, Until } from "../values/ending.js";
import type { SyncError } from "../values/errors.js";
import type { Events } from "../values/events.js";
import type { Signal } from "../values/live.js";
import type { StreamStatus } from "../values/states.js";

export type Progress = { id: string; sent: number; size: number };
export type DataEvents = { status: StreamStatus; rejected: RejectedEntry; progress: Progress; closed: SyncError };

/** Where the values come from. */
interface Of {
  readonly stream: DataStream;
  readonly kit: Kit;
  stands(): StreamStatus;
  rejected(): readonly RejectedEntry[];
  /** A listener threw. */
  thrown(e: unknown): void;
}

export class Told {
  readonly live: DataLive;
  readonly #of: Of;
  readonly #events: Events<DataEvents>;
  readonly #signals: readonly Signal<never>[];
  readonly #sent: Signal<Progress | null>;
  #status: StreamStatus | null = null;
  #progress: Progress | null = null; // of the large entry that is being sent

  constructor(of: Of) {
    this.#of = of;
    const { kit, thrown, stream } = of;
    this.#events = new kit.Events(["status", "rejected", "progress", "closed"], thrown);
    const status = new kit.Signal(() => this.status(), thrown), rejected = new kit.Signal(() => of.rejected(), thrown);
    this.#sent = new kit.Signal(() => this.#progress, thrown);
    this.#signals = [status, rejected, this.#sent] as Signal<never>[];
    const live = <T>(signal: Signal<T>) => new kit.LiveValue(signal, true);
    this.live = { status: live(status), rejected: live(rejected), progress: live(this.#sent), entries: (o) => liveEntries(stream, kit, thrown, o) };
  }

  status(): StreamStatus {
    const last = this.#status, next = this.#of.stands();
    if (last && (Object.keys(next) as (keyof StreamStatus)[]).every((key) => last[key] === next[key])) return last;
    return (this.#status = Object.freeze(next));
  }

  /** Something may be another. */
  changed(): void {
    for (const signal of this.#signals) signal.changed();
    this.#events.emit("status", this.status());
  }

  /** What is being sent, or that nothing is: who follows it hears so with the next change. */
  sends(progress: Progress | null): void {
    this.#progress = progress && Object.freeze(progress);
  }

  progress(progress: Progress | null): void {
    this.sends(progress);
    this.#sent.changed();
    if (progress) this.#events.emit("progress", progress);
  }

  on<E extends keyof DataEvents>(event: E, fn: (e: DataEvents[E]) => void, options: Until): Ending {
    return this.#events.on(event, fn, options);
  }

  tell<E extends keyof DataEvents>(event: E, value: DataEvents[E]): void {
    this.#events.emit(event, value);
  }

  end(error: SyncError): void {
    for (const signal of this.#signals) signal.end();
    queueMicrotask(() => this.#events.last("closed", error));
  }
}
