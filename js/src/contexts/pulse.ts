// A clock that notices when it was stopped: a device that slept, a page that was held back. Timers go on where they were then, though the time that
// they wait for may be long past.

const every = 10_000; // milliseconds
const late = 30_000;
const lateHidden = 100_000; // browsers let a hidden page's timers come once a minute

/** Calls beat every ten seconds, and slept first where it comes much too late. Gives what ends it. */
export function pulse(slept: () => void, beat: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > every + (globalThis.document?.visibilityState === "hidden" ? lateHidden : late)) slept();
    last = now;
    beat();
  }, every);
  return () => clearInterval(timer);
}
