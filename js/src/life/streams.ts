// The streams of a database that are open: each once, in the program, or as they are stored while there is none.
import type { Programs } from "./programs.js";
import type { Boot } from "../boot/boot.js";
import type { Lack } from "../boot/early.js";
import type { Owner } from "../streams/owner.js";
import { relay } from "../streams/relay.js";
import { Stream } from "../streams/stream.js";
import { errorOf } from "../values/errors.js";
import type { Life } from "../values/life.js";
import { checkName, checkStreamOptions, type StreamOptions } from "../values/options.js";
import { viewed } from "../values/shapes.js";
import { Users } from "../values/users.js";

/** Who has a database open. */
export interface Holders {
  /** One lets go of it; false where others have it open still. */
  letGo(): boolean;
  /** It has ended. */
  forget(): void;
}

/** The database. */
interface Of {
  readonly owner: Owner;
  readonly life: Life;
  readonly programs: Programs;
}

export class Streams {
  readonly #of: Of;
  readonly #users = new Users<Stream>();
  readonly #lacks = new Map<string, Lack>(); // of streams that could not be read without a program

  constructor(of: Of) {
    this.#of = of;
  }

  get all(): readonly [name: string, stream: Stream][] {
    return this.#users.all;
  }

  /** Opens a stream, or gives the one that is open. */
  open(name: string, options: StreamOptions): Promise<Stream> {
    if (this.#of.life.state === "restarting" || (this.#of.life.state === "opening" && !this.#of.programs.boot)) return this.#of.programs.up().then(() => this.open(name, options));
    return this.#users.open(
      name,
      () => {
        const boot = this.#of.life.state === "opening" ? this.#of.programs.boot : null;
        return boot ? this.#show(boot, name, options) : this.#make(name, options);
      },
      async (stream) => {
        if (options.schema && stream.waiting && viewed(options.schema).length > 0) await stream.ready; // its rows are shown otherwise already
        return Object.keys(options).length === 0 ? stream : stream.again(options);
      },
    );
  }

  /** Gives a stream as it is stored, or waits for the program where that cannot be told. */
  async #show(boot: Boot, name: string, options: StreamOptions): Promise<Stream> {
    checkName(name);
    checkStreamOptions(options);
    let early = await boot.read(name);
    if (typeof early === "object" && !early.table.tells(viewed(options.schema))) early = 2;
    if (early === 1 || early === 2) this.#lacks.set(name, early);
    else if (early !== 0 && this.#of.life.state === "opening" && (options.conflictFree ?? early.conflictFree) === early.conflictFree) {
      const stream = new Stream(this.#of.owner, name, early.conflictFree, options, early);
      this.#users.made(name, stream);
      if (this.#of.programs.overdue) stream.overdue(this.#of.programs.overdue);
      this.#of.owner.statusChanged();
      return stream;
    }
    await this.#of.programs.up();
    return this.#make(name, options);
  }

  /** Opens one in the program. */
  async #make(name: string, options: StreamOptions): Promise<Stream> {
    checkName(name);
    checkStreamOptions(options);
    return this.#of.programs.ask((seat, resolve, reject) => {
      let stream: Stream | undefined;
      const observer = relay(() => stream?.observer);
      const read = seat.runtime.memory.reading();
      seat.host.stream(seat.handle, name, options.conflictFree ?? null, options.conflicts ?? 0, observer, (problem, handle, client, conflictFree) => {
        read();
        if (problem) return reject(errorOf(problem));
        stream = new Stream(this.#of.owner, name, conflictFree, options);
        stream.attach(seat.runtime, handle, client, this.#lacks.get(name));
        this.#lacks.delete(name);
        this.#users.made(name, stream);
        resolve(stream);
        this.#of.owner.statusChanged();
      });
    });
  }

  letGo(stream: Stream): boolean {
    return this.#users.letGo(stream.name, stream);
  }

  forget(stream: Stream): void {
    this.#users.forget(stream.name, stream);
    this.#of.owner.statusChanged();
  }
}
