// The database's loop, from one program to the next: it decides which data stream has its turn, and what follows from how that went.
import type { Host, Seat, Stands } from "./kit.js";
import { freeze } from "../values/json.js";
import type { Problem } from "../values/errors.js";

const unknown: Stands = Object.freeze({ state: "starting", reason: null, next: null, lastSynced: null, error: null });
const offline: Stands = Object.freeze({ ...unknown, state: "offline" });

export class Loop {
  readonly #host: Host;
  readonly #told: (name: string) => void;
  readonly #ids = new Map<string, number>(); // of what is open here, in the program of now; 0 where there is none
  readonly #stands = new Map<string, { text: string; is: Stands }>();
  readonly #queued = new Map<string, number>(); // entries of these that are not on the server, as far as that was told

  readonly #own: () => boolean;

  /** told hears that a stream stands otherwise; own says that what is kept is in the memory of this context. */
  constructor(host: Host, told: (name: string) => void, own: () => boolean) {
    this.#host = host;
    this.#told = told;
    this.#own = own;
  }

  #call(f: (seat: Seat) => void): void {
    const seat = this.#host.seat();
    if (seat?.runtime.live) f(seat);
  }

  /** A data stream is open here: it is fetched. Said again, it is fetched now. */
  open(name: string): void {
    this.#ids.set(name, this.#ids.get(name) ?? 0);
    this.#call(({ host, handle }) => {
      host.data(handle, name, this.#own(), (_, id) => {
        if (this.#ids.has(name)) this.#ids.set(name, id);
        else host.closeData(handle, id); // meanwhile
      });
    });
  }

  close(name: string): void {
    const id = this.#ids.get(name);
    for (const of of [this.#ids, this.#stands, this.#queued]) of.delete(name);
    if (id) this.#call(({ host, handle }) => host.closeData(handle, id));
  }

  /** So many entries are not on the server; wrote: some were just queued. */
  queued(name: string, pending: number, wrote: boolean): void {
    if (this.#ids.has(name)) this.#queued.set(name, pending);
    this.#call(({ host, handle }) => host.queued(handle, name, pending, wrote, this.#own()));
  }

  /** How a stream stands: the same object until it is another. */
  stands(name: string): Stands {
    return this.#host.transport.url ? (this.#stands.get(name)?.is ?? unknown) : offline;
  }

  /** Another context has ended without a word. */
  gone(): void {
    this.#call(({ host, handle }) => host.gone(handle));
  }

  /** The server has an entry that actions wait for. */
  durable(stream: string, entry: string): void {
    this.#call(({ host, handle }) => host.entryDurable(handle, stream, entry));
  }

  /** The program tells how one stands. */
  told(name: string, text: string): void {
    if (this.#stands.get(name)?.text === text || !this.#ids.has(name)) return;
    const { state, reason, next, lastSynced, error } = JSON.parse(text) as Stands & { error?: Problem };
    const is = Object.freeze({ state, reason, next: freeze(next ?? null), lastSynced: lastSynced || null, error: error ? this.#host.kit.errorOf(error) : null });
    this.#stands.set(name, { text, is });
    queueMicrotask(() => this.#told(name)); // not within the program's step
  }

  /** Another program is there: what is open is opened in it. */
  resume(): void {
    for (const name of this.#ids.keys()) {
      this.open(name);
      this.queued(name, this.#queued.get(name) ?? 0, true);
    }
  }
}
