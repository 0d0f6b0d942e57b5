// The IndexedDB of a new frame of this page. Where WebKit has lost the process behind a page's own one, which stays dead until the page is loaded
// anew, a frame's works.
const frames: HTMLIFrameElement[] = [];
const most = 5; // in a page: the oldest goes, with its connections, when another one is asked for

const requests = new Set<object>(); // their classes of requests

export function frameFactory(): IDBFactory | null {
  try {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.documentElement.append(frame);
    const other = frame.contentWindow as (Window & typeof globalThis) | null;
    if (!other?.indexedDB) {
      frame.remove();
      return null;
    }
    if (requests.size === 0) {
      // The driver asks of each request whether it is of this page's class.
      const is = Function.prototype[Symbol.hasInstance];
      const value = (x: unknown) => is.call(IDBRequest, x) || [...requests].some((c) => is.call(c as never, x));
      Object.defineProperty(IDBRequest, Symbol.hasInstance, { configurable: true, value });
    }
    requests.add(other.IDBRequest);
    if (frames.push(frame) > most) frames.shift()!.remove();
    return other.indexedDB;
  } catch {
    return null; // a worker, or a page that has no frames
  }
}
