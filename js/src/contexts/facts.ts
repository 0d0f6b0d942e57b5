// What the browser tells of this context: the one source for all who go by it. None of it is believed: it only cuts a pause, or says what may be.
import { pulse } from "./pulse.js";

/** Who goes by it. */
export interface Heedful {
  /** The network may be back, the page is seen or restored, the device goes on after a sleep: because tells people which. */
  woken(because: string): void;
  /** The browser says that there is no network. */
  offline(): void;
  /** Nobody sees the page any more: it may end without another word. */
  hidden(): void;
  /** The page is stopped, or goes on. */
  freeze(yes: boolean): void;
  /** The page goes for good. */
  leave(): void;
  /** Every ten seconds. */
  beat(): void;
}

/** Listens until what it gives is called. */
export function listen(to: Heedful): () => void {
  const ends: (() => void)[] = [];
  const on = (target: EventTarget | undefined, event: string, fn: (e: Event) => void) => {
    if (typeof target?.addEventListener !== "function") return; // Node has no events of its own
    target.addEventListener(event, fn);
    ends.push(() => target.removeEventListener(event, fn));
  };
  const page = globalThis, { document } = globalThis;
  on(page, "online", () => to.woken("the browser says it is online"));
  on(page, "offline", () => to.offline());
  on(document, "visibilitychange", () => (document.visibilityState === "visible" ? to.woken("the page became visible") : to.hidden()));
  on(document, "freeze", () => to.freeze(true));
  on(document, "resume", () => to.freeze(false));
  on(page, "pagehide", (e) => ((e as PageTransitionEvent).persisted ? to.freeze(true) : to.leave()));
  on(page, "pageshow", () => {
    to.freeze(false);
    to.woken("the page was restored");
  });
  ends.push(pulse(() => to.woken("the device goes on after a sleep"), () => to.beat()));
  return () => ends.forEach((end) => end());
}
