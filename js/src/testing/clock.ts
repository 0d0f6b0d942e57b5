// A clock that can be set forward: time goes on as it does, and what waits for a timer need not be waited for.

type Timer = { due: number; fn: () => void; every: number; held: boolean; real: { unref?(): void } | undefined }; // held: it keeps Node alive

export interface TestClock {
  /** Goes so many milliseconds forward: what is due until then happens, in its order, each with the time at which it was due. */
  advance(milliseconds: number): Promise<void>;
  /** Gives timers and the date back as they were. performance.now stays ahead. */
  restore(): void;
  [Symbol.dispose](): void;
}

let there = false;

/** Takes over setTimeout, setInterval, Date and performance.now, of this page or process. */
export function testClock(): TestClock {
  if (there) throw new Error("there is a test clock already: restore() it first");
  there = true;
  const real = { setTimeout, clearTimeout, setInterval, clearInterval, Date: Date as DateConstructor, now: performance.now.bind(performance) };
  const scope = globalThis as unknown as { [name: string]: unknown };
  const timers = new Map<number, Timer>();
  const ids = new WeakMap<object, number>(); // of what setTimeout has given: numbers would be taken for others'
  let ahead = 0, last = 0;
  const now = () => real.now() + ahead;

  const run = (id: number) => {
    const timer = timers.get(id);
    if (!timer) return;
    real.clearTimeout.call(globalThis, timer.real as never); // it may have come by the real clock, or not
    if (timer.every < 0) timers.delete(id);
    else arm(id, { ...timer, due: Math.max(timer.due, now() - timer.every) + timer.every });
    timer.fn();
  };
  const arm = (id: number, timer: Timer) => {
    real.clearTimeout.call(globalThis, timer.real as never);
    const next = real.setTimeout.call(globalThis, () => run(id), Math.max(0, timer.due - now())) as unknown as { unref?(): void };
    if (!timer.held) next.unref?.();
    timers.set(id, { ...timer, real: next });
  };
  const set = (repeats: boolean) => (fn: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const id = ++last, wait = Math.max(0, Number(ms) || 0);
    arm(id, { due: now() + wait, fn: () => fn(...args), every: repeats ? Math.max(1, wait) : -1, held: true, real: undefined });
    // Node's timers are objects.
    const hold = (held: boolean) => {
      const timer = timers.get(id);
      if (timer) arm(id, { ...timer, held });
      return handle;
    };
    const handle = Object.assign(Object(id) as object, { unref: () => hold(false), ref: () => hold(true), hasRef: () => timers.get(id)?.held === true, [Symbol.toPrimitive]: () => id });
    ids.set(handle, id);
    return handle as unknown;
  };
  const clear = (how: (timer?: ReturnType<typeof setTimeout>) => void) => (handle: unknown) => {
    const id = ids.get(handle as object);
    if (id === undefined) return how.call(globalThis, handle as never); // of before
    how.call(globalThis, timers.get(id)?.real as never);
    timers.delete(id);
  };
  // The same class, so that what is a date stays one.
  const Time: DateConstructor = new Proxy(real.Date, {
    construct: (of, args, target) => Reflect.construct(of, args.length === 0 ? [of.now() + ahead] : args, target === Time ? of : target) as object,
    apply: () => String(new real.Date(real.Date.now() + ahead)),
    get: (of, key) => (key === "now" ? () => of.now() + ahead : (Reflect.get(of, key) as unknown)),
  });
  Object.assign(scope, { setTimeout: set(false), setInterval: set(true), clearTimeout: clear(real.clearTimeout), clearInterval: clear(real.clearInterval), Date: Time });
  performance.now = now;

  const restore = () => {
    if (!there) return;
    there = false;
    Object.assign(scope, { setTimeout: real.setTimeout, setInterval: real.setInterval, Date: real.Date }); // what was set can still be cleared
    const by = ahead;
    performance.now = () => real.now() + by; // it never goes back: who has measured by it would wait for as long
  };

  /** Lets what is under way get on: promises, messages, requests of the test server. */
  const settle = async () => {
    const task = (scope.setImmediate ?? real.setTimeout) as (fn: () => void) => void;
    for (let i = 0; i < 12; i++) await new Promise<void>((resolve) => task.call(globalThis, resolve));
  };
  return {
    advance: async (milliseconds) => {
      if (!(milliseconds >= 0)) throw new TypeError("advance takes a number of milliseconds");
      const until = now() + milliseconds;
      await settle();
      for (;;) {
        const next = [...timers].filter(([, timer]) => timer.due <= until).sort(([a, s], [b, t]) => s.due - t.due || a - b)[0];
        if (!next) break;
        ahead += Math.max(0, next[1].due - now());
        run(next[0]);
        await settle();
      }
      ahead += Math.max(0, until - now());
      for (const [id, timer] of timers) arm(id, timer); // sooner, by the real clock
      await settle();
    },
    restore,
    [Symbol.dispose]: restore,
  };
}
