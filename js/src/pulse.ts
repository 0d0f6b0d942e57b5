// A clock that notices when it was stopped: a device that slept, a page that was held back. Timers go on where they were then, though the time that
// they wait for may be long past.

const every = 10_000; // milliseconds
const late = 30_000;

/** Calls beat every ten seconds, and slept first where it comes much too late in a page that is seen. Gives what ends it. */
export function pulse(slept: () => void, beat: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > every + late && globalThis.document?.visibilityState !== "hidden") slept();
    last = now;
    beat();
  }, every);
  return () => clearInterval(timer);
}
