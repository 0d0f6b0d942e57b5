/** The IndexedDB of a new frame of this page, or null. Where WebKit has lost the process behind a page's own one, which stays dead until the page is
    loaded anew, a frame's works. */
export function frameFactory(): IDBFactory | null {
  try {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.documentElement.append(frame);
    const other = frame.contentWindow as (Window & typeof globalThis) | null;
    if (!other?.indexedDB) return null;
    // The driver asks of each request whether it is of this page's class.
    const before = IDBRequest[Symbol.hasInstance];
    const theirs = other.IDBRequest;
    Object.defineProperty(IDBRequest, Symbol.hasInstance, {
      configurable: true,
      value: (x: unknown) => before.call(IDBRequest, x) || before.call(theirs, x),
    });
    return other.indexedDB;
  } catch {
    return null; // a worker, or a page that has no frames
  }
}
