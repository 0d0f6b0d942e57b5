import type { Stream } from "./stream.js";

/** An observer in the place of one that is not there yet: what is told before is of a state that its first look will show. */
export function relay(to: () => Stream["observer"] | undefined): object {
  const events = ["committed", "failed", "resolved", "refused", "conflict", "reset", "changed", "statusChanged", "outdated", "closed"] as const;
  return Object.fromEntries(events.map((event) => [event, (...args: never[]) => (to()?.[event] as ((...args: never[]) => void) | undefined)?.(...args)]));
}
