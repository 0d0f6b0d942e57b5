// What people are shown of a stream: each value is the same object until it is another one. It decides nothing.
import { errorOf, type Problem, type SyncError } from "../values/errors.js";
import type { Ending, Until } from "../values/ending.js";
import { Events } from "../values/events.js";
import { freeze } from "../values/json.js";
import { LiveValue, Signal } from "../values/live.js";
import type { Conflict, Rejected, Reset, StreamEvents, StreamStatus, Undoable } from "../values/states.js";
import type { Place } from "./place.js";
import type { Stood, Waiting } from "./waiting.js";

/** Where the values come from. */
interface Of {
  place(): Place | null;
  /** While there is no program. */
  waiting(): Waiting | null;
  /** How many writes of this page are not known to be on the server. */
  unsent(): number;
  /** Why it cannot be asked. */
  why(): SyncError | null;
  /** Why the first program has not come in time. */
  overdue(): SyncError | null;
}

/** A value that is made of a text, and stays while that does. */
class Memo<T> {
  #text: string | null = null;
  #value: T | null = null;

  of(text: string, make: () => T): T {
    if (text !== this.#text) [this.#text, this.#value] = [text, make()];
    return this.#value!;
  }

  /** The last one, null where there was none. */
  get last(): T | null {
    return this.#value;
  }
}

/** What a stream tells of itself, as values that follow it. */
export interface ToldLive {
  readonly status: LiveValue<StreamStatus>;
  readonly rejected: LiveValue<readonly Rejected[] | null>;
  readonly conflicts: LiveValue<readonly Conflict[] | null>;
  readonly pending: LiveValue<readonly unknown[] | null>;
  readonly undoable: LiveValue<Undoable | null>;
}

export class Told {
  readonly #of: Of;
  readonly #status = new Memo<StreamStatus>();
  readonly #rejected = new Memo<readonly Rejected[]>();
  readonly #conflicts = new Memo<readonly Conflict[]>();
  readonly #pending = new Memo<readonly unknown[]>();
  readonly #undoable = new Memo<Undoable>();
  readonly #signals: readonly Signal<never>[];
  readonly live: ToldLive;
  readonly #events: Events<StreamEvents>;
  #telling = false;

  constructor(of: Of, thrown: (e: unknown) => void) {
    this.#of = of;
    this.#events = new Events(["status", "rejected", "conflict", "reset", "closed"], thrown);
    const signals: Signal<never>[] = [];
    const live = <T>(now: () => T) => {
      const signal = new Signal(now, thrown);
      signals.push(signal as Signal<never>);
      return new LiveValue(signal, true);
    };
    this.live = { status: live(() => this.status()), rejected: live(() => this.rejected()), conflicts: live(() => this.conflicts()), pending: live(() => this.pending()), undoable: live(() => this.undoable()) };
    this.#signals = signals;
  }

  /** Something may be another. */
  changed(): void {
    for (const signal of this.#signals) signal.changed();
    if (this.#telling || !this.#events.has("status")) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      const why = this.#of.why();
      if (!why || this.#of.waiting()) this.#events.emit("status", this.status());
    });
  }

  on<E extends keyof StreamEvents>(event: E, fn: (e: StreamEvents[E]) => void, options: Until): Ending {
    return this.#events.on(event, fn, options);
  }

  tell<E extends keyof StreamEvents>(event: E, value: StreamEvents[E]): void {
    this.#events.emit(event, value);
  }

  end(error: SyncError): void {
    for (const signal of this.#signals) signal.end();
    queueMicrotask(() => this.#events.last("closed", error));
  }

  /** How it stood when it was last looked at. */
  stood(): Stood {
    const last = this.#status.last;
    return { head: last?.head ?? 0, unsent: Math.max(this.#of.unsent(), last?.pending ?? 0), refused: last?.rejected ?? 0 };
  }

  status(): StreamStatus {
    const waiting = this.#of.waiting();
    if (waiting) {
      const { size, of } = waiting, error = this.#of.overdue() ?? (this.#of.why()?.code === "starting" ? null : this.#of.why());
      const pending = of.unsent + size;
      return this.#status.of(`waiting ${of.head} ${pending} ${of.refused} ${error?.message}`, () => {
        return Object.freeze({ state: "starting", reason: null, head: of.head, pending, rejected: of.refused, next: null, lastSynced: null, error });
      });
    }
    const text = this.#there().status();
    return this.#status.of(text, () => {
      const s = JSON.parse(text) as StreamStatus & { error?: Problem };
      return Object.freeze({ ...s, next: freeze(s.next ?? null), lastSynced: s.lastSynced || null, error: s.error ? errorOf(s.error) : null });
    });
  }

  #there(): Place {
    const place = this.#of.place();
    if (!place) throw this.#of.why()!;
    return place;
  }

  rejected(): readonly Rejected[] | null {
    if (this.#of.waiting()) return this.#rejected.last;
    const text = this.#there().rejected();
    return this.#rejected.of(text, () => freeze(JSON.parse(text) as Rejected[]));
  }

  resets(): readonly Reset[] | null {
    return this.#of.waiting() ? null : freeze(JSON.parse(this.#there().resets()) as Reset[]);
  }

  conflicts(): readonly Conflict[] | null {
    if (this.#of.waiting()) return this.#conflicts.last;
    const text = this.#there().conflicts();
    return this.#conflicts.of(text, () => freeze(JSON.parse(text) as Conflict[]));
  }

  /** Whether there is something to undo, and to redo. */
  undoable(): Undoable | null {
    if (this.#of.waiting()) return this.#undoable.last;
    const is = this.#there().undoable();
    return this.#undoable.of(String(is), () => Object.freeze({ undo: (is & 1) > 0, redo: (is & 2) > 0 }));
  }

  pending(id?: string): readonly unknown[] | null {
    if (this.#of.waiting()) return id === undefined ? this.#pending.last : null;
    const text = this.#there().pending(id);
    if (id !== undefined) return freeze(JSON.parse(text) as unknown[]);
    return this.#pending.of(text, () => freeze(JSON.parse(text) as unknown[]));
  }
}
