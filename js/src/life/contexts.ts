// A database among its contexts: which of them leads, what they tell one another, and what the browser tells of this one.
import type { DataStreams } from "./datastreams.js";
import type { Keeper } from "./keeper.js";
import type { Programs } from "./programs.js";
import { Updates, version, type Update } from "./update.js";
import { listen } from "../contexts/facts.js";
import { Leader } from "../contexts/leader.js";
import type { Asked, Inspection, Order } from "./inspection.js";
import { Peers, type Message } from "../contexts/peers.js";
import type { Token } from "../server/token.js";
import { ClosedError } from "../values/errors.js";
import type { Life } from "../values/life.js";

/** The database. */
interface Of {
  readonly life: Life;
  readonly programs: Programs;
  readonly keeper: Keeper;
  readonly data: DataStreams;
  readonly token: Token;
  /** This context leads, or does not any more. */
  led(): void;
  /** Nobody sees the page any more: it may be about to go. */
  hidden(): void;
  /** Something is newer than this. */
  update(news: Update): void;
  readonly inspection: Inspection;
  end(why: ClosedError): void;
}

export class Contexts {
  readonly leader: Leader;
  readonly updates: Updates;
  readonly #of: Of;
  readonly #shared: string;
  readonly #peers = new Peers();
  #deafen: () => void = () => {};

  /** shared is the name that they have in common; one that is no candidate never leads. */
  constructor(of: Of, shared: string, candidate: boolean) {
    this.#of = of;
    this.#shared = shared;
    this.updates = new Updates((news) => of.update(news));
    const together = typeof BroadcastChannel !== "undefined" && !!globalThis.navigator?.locks;
    this.leader = new Leader(shared, !together, candidate, { lead: (yes) => this.#led(yes), freeze: (yes) => this.#froze(yes) });
  }

  /** Hears the others. */
  listen(): void {
    const { life, programs, keeper, data, token } = this.#of;
    this.#peers.listen(this.#shared, version, keeper.memory, {
      destroyed: () => this.#of.end(destroyedElsewhere()),
      destroying: (yes) => keeper.custody.leaving(yes),
      woken: () => token.wake(),
      core: (message) => {
        const { seat } = programs;
        if (life.lives && seat?.runtime.live) seat.host.hear(seat.handle, message); // also while streams are opened
      },
      data: (message) => life.lives && data.now?.hear(message),
      met: (other) => life.lives && this.updates.met(other) && this.tell({ version }),
      inspected: (asked) => (life.lives ? this.#of.inspection.tell(asked as Asked) : null),
      order: (order) => life.lives && this.#of.inspection.carryOut(order as Order),
    });
  }

  /** Takes part: the first program is there. */
  begin(): void {
    const { programs, keeper, token } = this.#of;
    this.leader.begin();
    this.#deafen = listen({
      woken: (because) => {
        token.wake();
        this.tell({ woken: true }); // whoever leads is to ask for a token, too
        programs.call(({ host, handle }) => host.wake(handle, because));
      },
      offline: () => programs.call(({ host, handle }) => host.offline(handle)),
      hidden: () => (keeper.look(), this.#of.hidden()),
      freeze: (yes) => this.leader.freeze(yes),
      leave: () => this.leader.leave(),
      beat: () => programs.beat(),
    });
  }

  #led(yes: boolean): void {
    this.#of.programs.call(({ host, handle }) => host.lead(handle, yes));
    this.#of.data.lead(yes);
    this.#of.led();
  }

  #froze(yes: boolean): void {
    this.#of.programs.call(({ host, handle }) => host.freeze(handle, yes));
    this.#of.data.now?.freeze(yes);
  }

  tell(message: Message): void {
    this.#peers.tell(message);
  }

  /** Tells it even where this context is by itself. */
  shout(message: Message): void {
    this.#peers.shout(message);
  }

  /** What is in the memory of this context nobody else sees: it runs the loop for itself. */
  alone(): void {
    this.#peers.isolate();
    this.leader.alone();
  }

  /** What is stored is the others' too, where it was in memory. */
  join(): void {
    this.#peers.join();
    this.leader.join();
  }

  end(): void {
    this.#peers.close();
    this.leader.end();
    this.#deafen();
  }
}

export const destroyedElsewhere = () => new ClosedError({ code: "closed", message: "closed: the database was destroyed in another tab" });
