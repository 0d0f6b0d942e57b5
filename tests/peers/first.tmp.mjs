// node first.tmp.mjs N [profile.cpuprofile]
import { chromium } from 'playwright-core';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, extname } from 'node:path';
import { spawn } from 'node:child_process';
const N = Number(process.argv[2] || 100000), out = process.argv[3], what = process.argv[4] || 'first';
const dir = mkdtempSync(join(tmpdir(), 'first-'));
const port = 20000 + process.pid % 20000;
const html = join(dir, 'www'); 
import { cpSync, mkdirSync } from 'node:fs';
mkdirSync(html); cpSync('/work/main/js/dist', html, { recursive: true });
writeFileSync(join(html, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script src="/strandline.global.js"></script>');
const p = spawn('/work/main/bin/strandline', ['serve', '--addr', `127.0.0.1:${port}`, '--data', join(dir, 'data'), '--static', html], { stdio: ['ignore', 'inherit', 'inherit'] });
await new Promise((r) => setTimeout(r, 1000));
const base = `http://127.0.0.1:${port}`;
const context = await chromium.launchPersistentContext(join(dir, 'profile'), { executablePath: '/usr/bin/chromium', headless: true, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
const page = async () => { const g = await context.newPage(); g.on('console', (m) => console.log(m.text())); g.on('pageerror', (m) => console.log(m)); await g.goto(base + '/'); await g.evaluate(() => { window.longest=[]; new PerformanceObserver((l) => { for (const e of l.getEntries()) longest.push([e.startTime|0, e.duration|0]); }).observe({ type: 'longtask' }); }); return g; };
const fields = `(i) => ({ title: 'Buy ' + i + ' bottles of milk at the corner shop', done: i % 3 === 0, rank: i, tags: ['a', 'b'], note: 'n'.repeat(40) })`;
let g = await page();
await g.evaluate(async ([n, f]) => {
  const fields = eval(f), db = await strandline.open({ name: 'maker', server: location.origin }), s = await db.stream('x/y');
  for (let i = 0; i < n; i += 5000) await s.create('todo', Array.from({ length: Math.min(5000, n - i) }, (_, k) => fields(i + k)));
  await s.settled(); window.head = s.head; await db.close();
}, [N, fields]);
const head = await g.evaluate(() => head);
await g.close();
await new Promise((r) => setTimeout(r, 3000)); // the server's checkpoint
for (const kind of ['first', 'again']) {
  g = await page();
  const cdp = await context.newCDPSession(g);
  if (out && what === kind) { await cdp.send('Profiler.enable'); await cdp.send('Profiler.setSamplingInterval', { interval: 500 }); await cdp.send('Profiler.start'); }
  const r = await g.evaluate(async ([n, head]) => {
    const t = performance.now(), db = await strandline.open({ name: 'reader', server: location.origin }), s = await db.stream('x/y');
    const opened = performance.now() - t; let rows = 0;
    while (s.head < head) await new Promise((r) => setTimeout(r, 20));
    const all = performance.now() - t; const len = s.query({ type: 'todo' }).length; const read = performance.now() - t;
    await s.ready; const ready = performance.now() - t;
    await new Promise((r) => setTimeout(r, 4000));
    return { opened, all, len, read, ready, t, longest: longest.filter((x) => x[1] > 60) };
  }, [N, head]);
  console.log(kind, JSON.stringify(r));
  if (out && what === kind) writeFileSync(out, JSON.stringify((await cdp.send('Profiler.stop')).profile));
  await g.evaluate(() => 0); await g.close();
  await new Promise((r) => setTimeout(r, 2500));
}
await context.close(); p.kill();
process.exit(0);
