#!/usr/bin/env node
// node run.mjs [--rounds 3] [--only a,b] [--steps W2,W7] [--quick] [--out name] [--doc file.md] [--adapter /path/x.js]
// --profile W2 samples that step, as results/<out>-<library>.cpuprofile.
import { chromium } from 'playwright-core';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAdapter } from './lib/build.mjs';
import { serve } from './lib/server.mjs';
import { rendererPids, runRound } from './lib/driver.mjs';
import { cpuBusy, lock, treeCpu, waitQuiet } from './lib/lock.mjs';
import { writeDoc, writeTable } from './lib/table.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const { values: opt } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    steps: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    doc: { type: 'string' },
    profile: { type: 'string' },
    adapter: { type: 'string', multiple: true },
    'no-lock': { type: 'boolean', default: false },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});

const all = Object.fromEntries(readdirSync(join(root, 'adapters')).filter((f) => f.endsWith('.js')).map((f) => [basename(f, '.js'), join(root, 'adapters', f)]));
for (const f of opt.adapter || []) all[basename(f, '.js')] = resolve(f);
const names = opt.only ? opt.only.split(',') : Object.keys(all);
const log = (s) => console.log(s);

const sizes = {};
for (const n of names) {
  if (!all[n]) throw new Error(`no adapter ${n}`);
  try {
    sizes[n] = await buildAdapter(root, n, all[n]);
    log(`built ${n.padEnd(18)} ${(sizes[n].raw / 1024).toFixed(1)} KiB, brotli ${(sizes[n].br / 1024).toFixed(1)} KiB`);
  } catch (e) {
    log(`build of ${n} failed: ${String(e.message).slice(0, 600)}`);
  }
}
const runnable = names.filter((n) => sizes[n]);

const profile = mkdtempSync(join(tmpdir(), 'bench-profile-'));
const back = runnable.includes('strandline') || opt.adapter ? await backend() : null;
const server = await serve(join(root, 'dist'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: opt.chromium,
  headless: true,
  ignoreDefaultArgs: ['--disable-back-forward-cache', '--disable-field-trial-config'],
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-features=SpareRendererForSitePerProcess'],
});
const keep = context.pages()[0] || (await context.newPage());
await keep.goto(`http://keep.localhost:${server.port}/blank`);
const browser = context.browser();

const idle = new Set(await rendererPids(browser));

const versions = JSON.parse(readFileSync(join(root, 'package.json'))).dependencies;
const result = {
  started: new Date().toISOString(),
  machine: { cpu: cpus()[0].model, cores: cpus().length, memGiB: Math.round(totalmem() / 2 ** 30), node: process.version,
    chromium: execFileSync('sh', ['-c', `${opt.chromium} --version 2>/dev/null | tail -1`]).toString().trim() },
  quick: opt.quick, versions, sizes, rounds: [],
};
mkdirSync(join(root, 'results'), { recursive: true });
const stamp = opt.out || result.started.replace(/[:.]/g, '-').slice(0, 19);
const save = () => writeFileSync(join(root, 'results', `${stamp}.json`), JSON.stringify(result, null, 1));

for (let round = 0; round < Number(opt.rounds); round++) {
  const shift = Math.floor((round * runnable.length) / Number(opt.rounds));
  let order = [...runnable.slice(shift), ...runnable.slice(0, shift)];
  if (round % 2) order = order.reverse(); // neighbours differ between rounds too
  for (const name of order) {
    const release = opt['no-lock'] ? async () => {} : await lock();
    const before = opt.quick ? 0 : await waitQuiet({ max: 8000 });
    const c0 = cpuBusy();
    const m0 = treeCpu();
    let r;
    try {
      r = await runRound({ browser, context, port: server.port, name, round, quick: opt.quick, log, only: opt.steps?.split(','), idle,
        profile: opt.profile, keep: (p) => writeFileSync(join(root, 'results', `${stamp}-${name}.cpuprofile`), JSON.stringify(p)) });
    } catch (e) {
      r = { errors: { run: String(e.message).slice(0, 500) } };
    }
    const c1 = cpuBusy();
    const others = Math.max(0, (c1.busy - c0.busy - (treeCpu() - m0)) / (c1.at - c0.at));
    await release();

    result.rounds.push({ round, name, othersBefore: before, othersDuring: others, seconds: c1.at - c0.at, steal: (c1.steal - c0.steal) / (c1.at - c0.at), load: loadavg()[0], ...r });
    save();
    const s = (k, f) => (r[k] ? f(r[k]).toFixed(1) : '-');
    log(`r${round} ${name.padEnd(18)} W1 ${s('W1', (x) => x[0].total)} W1c ${s('W1c', (x) => x[0].total)} W2 ${s('W2', (x) => x.median)} W3 ${s('W3', (x) => x.total)} W4us ${s('W4', (x) => x.us)} W5 ${s('W5', (x) => x.list.median)}/${s('W5', (x) => x.query.median)} W6 ${s('W6a', (x) => x.median)}/${s('W6b', (x) => x.median)} W7 ${s('W7', (x) => x.total)} heap ${s('W9', (x) => x.kept.used)} [others ${before.toFixed(2)}/${others.toFixed(2)} cores, ${(c1.at - c0.at).toFixed(0)} s]` +
      (Object.keys(r.errors).length ? ' ERR ' + JSON.stringify(r.errors) : '') + (opt.quick && r.messages?.length ? '\n    ' + r.messages.slice(0, 4).join('\n    ') : ''));
  }
}
result.finished = new Date().toISOString();
save();
await context.close();
server.close();
back?.kill();
rmSync(profile, { recursive: true, force: true });
writeTable(root, [join(root, 'results', `${stamp}.json`)]);
if (opt.doc) writeDoc(root, resolve(opt.doc));
log(`results/${stamp}.json, results/table.md`);
process.exit(0);

/** Our own server; lib/server.mjs passes /v1 on to it. */
async function backend() {
  const port = await new Promise((res) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => res(port));
    });
  });
  process.env.STRANDLINE_SERVER = `127.0.0.1:${port}`;
  const p = spawn(join(root, '../../bin/strandline'), ['serve', '--addr', process.env.STRANDLINE_SERVER, '--data', mkdtempSync(join(tmpdir(), 'bench-data-'))], { stdio: 'ignore' });
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(`http://${process.env.STRANDLINE_SERVER}/v1/streams`).then(() => true, () => false)) return p;
    await new Promise((res) => setTimeout(res, 100));
  }
  throw new Error('strandline serve does not answer');
}
