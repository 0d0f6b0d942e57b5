package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// listening hears the ends of a database, a stream and a data stream, by promises and by events.
const listening = `
	window.ends = [], window.over = [];
	for (const [name, live] of Object.entries({entries: d.live.entries(), rows: s.live(), status: db.live.status})) (async () => { for await (const _ of live); over.push(name) })();
	for (const [name, it] of Object.entries({db, s, d})) {
		it.on("closed", (e) => ends.push([name, e.name, e.code]));
		it.closed.then((e) => ends.push([name + " too", e.name, e.code]));
	}`

// The end is told, whoever brings it about: another tab that destroys, a program that cannot go on, one's own call (J4).
func TestTheEndIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	begin := func() {
		one.do(spied)
		one.start(`{log: (e) => logged.push(e)}`)
		one.do(`window.d = await db.data("log/1"); await s.create("todo", {title: "a"}); s.query()`)
		one.do(listening)
	}
	all := func(name, code string) string {
		var parts []string
		for _, of := range []string{"d", "d too", "db", "db too", "s", "s too"} {
			parts = append(parts, `"`+of+` `+name+` `+code+`"`)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	begin()
	two := b.open(s.url)
	two.start("")
	two.do(`await db.destroy({force: true})`)
	one.eventually(all("ClosedError", "closed"), `return ends.map((e) => e.join(" ")).sort()`)
	one.eventually(`["entries","rows","status"]`, `return over.sort()`)
	one.want(`["closed","closed","closed"]`, `
		const late = [];
		for (const it of [db, s, d]) it.on("closed", (e) => late.push(e.code)); // who comes late is told too
		await 0; await 0;
		return late`)
	one.reload()
	begin()
	for range 4 {
		one.do(`await s.ready.catch(() => {}); panic()`)
	}
	one.eventually(all("SyncError", "internal"), `return ends.map((e) => e.join(" ")).sort()`)
	one.want(`["internal","internal","internal","internal"]`, `
		const code = async (f) => { try { await f(); return "ok" } catch (e) { return e.code } };
		return [await code(() => s.query()), await code(() => s.status), await code(() => s.create("todo", {})), await code(() => d.append(1))]`)
	one.want(`true`, `window.db2 = await strandline.open({name: "test", server: location.origin}); return db2 !== db`)
	one.do(`await db2.close()`)
	one.reload()
	begin()
	one.do(`await db.close()`)
	one.eventually(all("ClosedError", "closed"), `return ends.map((e) => e.join(" ")).sort()`)
}

// What is opened twice is one, and ends when all have closed it: components that mount, unmount and mount again do no harm (J6, J7, J25).
func TestWhatIsOpenIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`[true,true,true]`, `
		window.o = {name: "test", server: location.origin, timers: {idle: 300, retry: 300}};
		window.d = await db.data("log/1");
		return [(await strandline.open(o)) === db, (await db.stream("lists/1")) === s, (await db.data("log/1")) === d]`)
	one.want(`["/server","invalid"]`, `try { await strandline.open({...o, server: location.origin + "/other"}) } catch (e) { return [e.path, e.code] }`)
	one.want(`[1,1]`, `
		await Promise.all([s.close(), d.close(), db.close()]); // one of two each
		await s.create("todo", {title: "a"}); await d.append("a");
		return [s.count(), (await d.read()).length]`)
	one.want(`["closed","closed",true,true,2,2]`, `
		await Promise.all([s.close(), d.close()]);
		const code = async (f) => { try { await f(); return "ok" } catch (e) { return e.code } };
		const codes = [await code(() => s.create("todo", {})), await code(() => d.append("b"))];
		// Mount, unmount, mount, without waiting.
		const a = db.stream("lists/1"), e = db.data("log/1");
		a.then((s) => s.close()); e.then((d) => d.close());
		const s2 = await db.stream("lists/1"), d2 = await db.data("log/1");
		await s2.create("todo", {title: "b"}); await d2.append("b");
		return [...codes, s2 !== s, d2 !== d, s2.count(), (await d2.read()).length]`)
	one.want(`true`, `
		const closing = db.close();
		const again = await strandline.open(o); // opened anew when that has ended
		await closing;
		window.before = db, window.db = again;
		return again !== before && (await again.stream("lists/1")).count() === 2`)
	// What was appended before a close is kept, whatever lies between.
	one.want(`["one","two","three"]`, `
		window.e = await db.data("log/2");
		const all = [e.append("one")];
		await new Promise((r) => setTimeout(r));
		all.push(e.append("two"), e.append("three"));
		const closing = db.close();
		const settled = await Promise.allSettled(all);
		await closing;
		if (settled.some((p) => p.status !== "fulfilled")) return settled;
		window.db = await strandline.open(o);
		return (await (await db.data("log/2")).read()).map((x) => x.value)`)
	one.do(`await db.close()`)
}

// A program that is replaced for its memory hurts nobody: reads go on, writes wait, what was asked is asked again, and who waits for the network does not
// keep it from being replaced (J8, J18).
func TestAProgramIsReplacedUnnoticed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	var held atomic.Bool
	release := make(chan struct{})
	s.setFault(func(http.ResponseWriter, *http.Request, func() *http.Response) bool {
		if held.Load() {
			<-release
		}
		return false
	})
	one.do(spied + `
		const interval = setInterval;
		window.beats = [];
		window.setInterval = (f, ms) => ms === 10000 ? (beats.push(f), 0) : interval(f, ms);`)
	one.start(`{log: (e) => logged.push(e)}`)
	one.do(`await s.create("todo", {title: "a"}); await s.settled(); s.query()`)
	one.do(`
		for (let i = 0; i < 400; i++) s.create("blob", {text: "x".repeat(200_000)});
		let last; for (const row of s.query({type: "blob"})) last = s.remove(row.id);
		await last; await s.settled()`)
	held.Store(true)
	one.do(`
		window.asked = [];
		const note = (what, p) => p.then(() => asked.push(what), (e) => asked.push(what + " " + e.code));
		s.create("todo", {title: "b"}).then(() => note("settled", s.settled()));
		note("sync", db.sync());
		await new Promise((r) => setTimeout(r, 50));
		window.failed = []; window.shown = new Set();
		window.reading = setInterval(() => { try { shown.add(s.count({type: "todo"})); s.query({orderBy: "title"}); s.status; s.pending(); s.rejected(); s.conflicts(); db.status; s.live.status.current } catch (e) { failed.push(e.code) } }, 1);
		window.wrote = [];
		window.writing = setInterval(() => wrote.push(s.create("note", {n: wrote.length}).then(() => "ok", (e) => e.code)), 20)`)
	one.eventually(`1`, `for (const beat of beats) beat(); return logged.filter((l) => l.code === "restarted").length`)
	one.do(`await s.ready; await new Promise((r) => setTimeout(r, 300)); clearInterval(writing)`)
	one.want(`[[],[2],["ok"],true,true]`, `
		const all = await Promise.all(wrote);
		clearInterval(reading);
		return [failed, [...shown],  [...new Set(all)], s.count({type: "note"}) === all.length, instances.at(-1).mem.buffer.byteLength < instances[0].mem.buffer.byteLength]`)
	close(release)
	one.eventually(`["settled","sync"]`, `return asked.sort()`)
}

// The first React code that anyone writes works: what is read is the same as long as nothing has changed, and nobody is called within subscribe (J2, J20).
func TestWhatIsReadIsTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`window.d = await db.data("log/1"); await s.create("todo", {title: "a", n: 1}); await s.settled(); await d.append(1); await d.settled()`)
	one.eventually(`[]`, `
		const looks = {
			query: () => s.query({type: "todo", orderBy: "n", limit: 10}), status: () => s.status, pending: () => s.pending(), rejected: () => s.rejected(),
			conflicts: () => s.conflicts(), database: () => db.status, data: () => d.status, refused: () => d.rejected(),
		};
		const before = Object.entries(looks).map(([name, f]) => [name, f, f()]);
		await new Promise((r) => setTimeout(r, 1));
		return before.filter(([, f, was]) => f() !== was || !Object.isFrozen(was)).map(([name]) => name)`)
	// useSyncExternalStore, as React has it: what it subscribes to is read again when it is told, and rendered where that is another.
	one.do(`
		window.renders = {};
		window.useStore = (name, subscribe, look) => {
			let last = look(), count = 0, again = 0;
			renders[name] = 1;
			const check = () => {
				if (++again > 1000) throw new Error(name + " renders without end");
				const now = look();
				if (now !== last) { last = now; renders[name]++ }
			};
			const end = subscribe(check);
			check();
			return end;
		};
		window.q = {type: "todo", orderBy: "n"};
		useStore("query", (cb) => s.subscribe({...q}, cb), () => s.query({...q}));
		useStore("status", (cb) => s.on("status", cb), () => s.status);
		for (const [name, live] of Object.entries({rows: s.live(q), one: s.live(s.query()[0].id), count: s.live.count(q), live: s.live.status, list: s.live.pending,
			whole: db.live.status, entries: d.live.entries(), of: d.live.status})) useStore(name, (cb) => live.subscribe(cb), () => live.current);
		await new Promise((r) => setTimeout(r, 20))`)
	one.do(`await s.update(s.query(q)[0].id, {n: 2}); await s.create("todo", {n: 3}); await s.settled(); await d.append(2); await d.settled()`)
	one.eventually(`[true,true,true,true]`, `return [renders.query === renders.rows, renders.one >= 2, renders.count >= 2, renders.list >= 2]`)
	one.want(`[2,2,0,2,3,"live"]`, `
		const all = [s.live(q), s.live.count(q), s.live.pending, d.live.entries()];
		const values = [];
		for (const live of all) {
			const end = live.subscribe(() => {});
			do await new Promise((r) => setTimeout(r, 50)); while (live === all[3] && live.current.length === 0); // it is read
			values.push(live.current);
			end();
		}
		return [values[0].length, values[1], values[2].length, values[3].length, s.query(q).at(-1).n, s.live.status.current.state]`)
}

// What a browser lacks is told in one error; what is newer is used where it is there (F6, J24).
func TestWhatABrowserLacks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.want(`["SyncError","unsupported",false,"unsupported: this browser has no queueMicrotask, structuredClone"]`, `
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		const [clone, micro] = [structuredClone, queueMicrotask];
		delete window.structuredClone; delete window.queueMicrotask;
		const e = await strandline.open({name: "test"}).catch((e) => e);
		window.structuredClone = clone; window.queueMicrotask = micro;
		return [e.name, e.code, e.retryable, e.message]`)
	for _, tb := range []*tab{one, two} {
		tb.do(`
			delete AbortSignal.any; delete AbortSignal.timeout; delete WebAssembly.instantiateStreaming; delete Array.prototype.at; delete Array.prototype.findLast; delete crypto.randomUUID;
			Object.prototype.theirs = () => "enumerable, as old libraries have it"`)
		tb.start("")
	}
	for _, tb := range []*tab{one, two} { // at once: they take turns
		tb.do(`window.all = Promise.all(Array.from({length: 40}, async (_, i) => { await s.create("todo", {title: "t" + i}); await s.update(s.query()[0].id, {n: i}); }))`)
	}
	for _, tb := range []*tab{one, two} {
		tb.do(`await all; await s.settled()`)
	}
	for _, tb := range []*tab{one, two} {
		tb.eventually(`80`, `return s.count()`)
	}
}

// undefined in a patch is told, and takes nothing away; a value that says the same in another order of its keys is no change (J21, F16).
func TestPatchesSayWhatTheyMean(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.offline(true)
	one.want(`["InvalidError","/title",["x",1],[null,1],["edited",null],true,false]`, `
		const id = await s.create("todo", {title: "x", n: 1, at: {a: 1, b: {c: 2, d: [3]}}});
		const e = await s.update(id, {title: undefined}).catch((e) => e);
		const look = () => [s.get(id).title ?? null, s.get(id).n ?? null];
		const before = look();
		await s.update(id, {title: strandline.unset()});
		const after = look();
		await s.edit(id, (d) => { d.title = "edited"; delete d.n });
		const edited = look(), pending = s.pending().length;
		await s.edit(id, (d) => { d.at = {b: {d: [3], c: 2}, a: 1} });
		const same = s.pending().length === pending;
		await s.update(id, {title: "edited"}); // an update asserts what it says
		return [e.name, e.path, before, after, edited, same, s.pending().length === pending]`)
}

// After a destroy the browser keeps no name of the user's or a stream's, and who slept meanwhile takes it for no loss (F13).
func TestNothingIsKeptOfWhatIsDestroyed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start(`{user: "alice@example.org"}`)
	one.offline(true)
	one.do(`await db.stream("secret/plans"); await s.create("todo", {title: "a"}); document.dispatchEvent(new Event("visibilitychange")); await new Promise((r) => setTimeout(r, 1200))`)
	one.want(`[true]`, `return [JSON.stringify(localStorage).includes("lists/1")]`)
	one.do(`await db.destroy({force: true})`)
	one.want(`[false,false,false]`, `const kept = JSON.stringify(localStorage); return ["alice", "lists", "secret"].map((name) => kept.includes(name))`)
	one.want(`null`, `
		const db = await strandline.open({name: "test", user: "alice@example.org", server: location.origin});
		const {loss} = await db.health();
		await db.close();
		return loss`)
}
