// What a database tells of itself: its status, and what this browser gives. Each is the same object until it is another. It decides nothing.
import type { Ending, Until } from "../values/ending.js";
import type { SyncError } from "../values/errors.js";
import { Events } from "../values/events.js";
import { LiveValue, Signal } from "../values/live.js";
import type { DatabaseEvents, Health, Status, StreamStatus } from "../values/states.js";

/** Where the values come from. */
interface Of {
  leads(): boolean;
  user: string | null;
  streams(): Iterable<readonly [name: string, it: { readonly status: StreamStatus }]>;
  data(): Iterable<readonly [name: string, it: { readonly status: StreamStatus }]>;
  health(): Promise<Health>;
  ended(): boolean;
}

export class Standing {
  readonly #of: Of;
  readonly #events: Events<DatabaseEvents>;
  readonly #signals: { status: Signal<Status>; health: Signal<Health | null> };
  readonly live: { readonly status: LiveValue<Status>; readonly health: LiveValue<Health | null> };
  #status: Status | null = null;
  #health: Health | null = null;
  #telling = false;

  constructor(of: Of, thrown: (e: unknown) => void) {
    this.#of = of;
    this.#events = new Events(["status", "health", "update", "closed"], thrown);
    this.#signals = { status: new Signal(() => this.status, thrown), health: new Signal(() => this.#health, thrown) };
    this.live = { status: new LiveValue(this.#signals.status, true), health: new LiveValue(this.#signals.health, true) };
  }

  get status(): Status {
    const streams: Status["streams"] = {}, data: Status["data"] = {};
    for (const [name, stream] of this.#of.streams()) streams[name] = stream.status;
    for (const [name, stream] of this.#of.data()) data[name] = stream.status;
    const online = [...Object.values(streams), ...Object.values(data)].some((s) => s.state === "live"), leader = this.#of.leads();
    const last = this.#status;
    if (last && last.online === online && last.leader === leader && alike(last.streams, streams) && alike(last.data, data)) return last;
    return (this.#status = Object.freeze({ online, leader, user: this.#of.user, streams: Object.freeze(streams), data: Object.freeze(data) }));
  }

  /** How much of each stream the server does not have. */
  get unsent(): [string, number][] {
    const { streams, data } = this.status;
    return [...Object.entries(streams).map(([name, s]) => [name, s.pending]), ...Object.entries(data).map(([name, s]) => [`data:${name}`, s.pending])] as [string, number][];
  }

  /** The status may be another. */
  changed(): void {
    this.#signals.status.changed();
    if (this.#telling || !this.#events.has("status")) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (!this.#of.ended()) this.#events.emit("status", this.status);
    });
  }

  /** What the browser gives may be another; listeners are told where that is news. */
  async look(tell: boolean): Promise<void> {
    const health = await this.#of.health();
    if (this.#of.ended()) return;
    this.#health = health;
    this.#signals.health.changed();
    if (tell) this.#events.emit("health", health);
  }

  /** known is what is told to this listener alone. */
  on<E extends keyof DatabaseEvents>(event: E, fn: (e: DatabaseEvents[E]) => void, options: Until, known?: DatabaseEvents[E]): Ending {
    return this.#events.on(event, fn, options, known);
  }

  tell<E extends keyof DatabaseEvents>(event: E, value: DatabaseEvents[E]): void {
    this.#events.emit(event, value);
  }

  end(why: SyncError): void {
    for (const signal of Object.values(this.#signals)) signal.end();
    queueMicrotask(() => this.#events.last("closed", why));
  }
}

/** Whether two have the same under the same names. */
function alike(a: { [name: string]: unknown }, b: { [name: string]: unknown }): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
