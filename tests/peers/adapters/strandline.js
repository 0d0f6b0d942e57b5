// Ours, as `make build` has made it; its server stands behind the bench's own origin.
import { open } from '../../../js/dist/strandline.js';
import wasm from '../../../js/dist/strandline.wasm';

let db, s, gate = false, last = Promise.resolve(), expected = 0;
const real = globalThis.fetch.bind(globalThis);
// The mock servers of other libraries answer in settle() and W7 only; so does the real one of ours: before that it is out of reach.
globalThis.fetch = (input, init) =>
  !gate && String(input?.url ?? input).startsWith(location.origin + '/v1') ? Promise.reject(new TypeError('gate')) : real(input, init);

const QUERY = { type: 'obj', where: { done: false }, orderBy: 'order', limit: 50 };
const until = (ok) =>
  new Promise((res) => {
    if (ok()) return res();
    const off = s.on('status', () => ok() && (off(), res()));
  });

const a = {
  name: 'strandline',
  async open(name) {
    db = await open({ name, server: location.origin, wasm: new URL(wasm, import.meta.url), log() {} });
    s = await db.stream('bench/' + location.hostname);
  },
  async create(objs) {
    for (const { id, ...fields } of objs) last = s.create('obj', fields, { id });
  },
  async apply(id, patch) { last = s.update(id, patch); },
  async durable() { await last; },
  async update(id, patch) { await s.update(id, patch); },
  async settle() {
    await last;
    gate = true;
    await db.sync();
    await until(() => s.status.pending === 0);
    gate = false;
  },
  get: async (id) => s.get(id),
  list: async () => s.query({ type: 'obj' }),
  query: async () => s.query(QUERY),
  subscribeAll: async (cb) => s.subscribe({ type: 'obj' }, (rows) => cb({ size: rows.length, get: (id) => s.get(id) })),
  subscribeQuery: async (cb) => s.subscribe(QUERY, (rows) => cb({ size: rows.length, get: (id) => rows.find((r) => r.id === id) })),
  async rebasePrepare(batches) {
    const peer = await open({ name: 'peer', server: location.origin + '/peer', wasm: new URL(wasm, import.meta.url), log() {} });
    const p = await peer.stream('bench/' + location.hostname);
    await peer.sync();
    for (const b of batches) for (const { id, patch } of b) p.update(id, patch);
    await p.settled();
    expected = p.head;
    await peer.destroy({ force: true });
  },
  async rebaseAll() {
    gate = true;
    db.sync().catch(() => {}); // the page is closed when all has come
    await until(() => s.head >= expected);
  },
  async close() { await db.close(); },
};
export default a;
