package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// quit ends the browser as a user does: what it holds back is written.
func (b *browser) quit() {
	b.t.Helper()
	if b.other != nil {
		b.other.Quit()
		return
	}
	if err := chromedp.Cancel(b.ctx); err != nil {
		b.t.Fatalf("quit: %v", err)
	}
	b.kill()
}

// clearIndexedDB is what a browser does that needs room, or a user who clears the site's data but for the rest.
func (tb *tab) clearIndexedDB(url string) {
	tb.t.Helper()
	tb.run("clear", storage.ClearDataForOrigin(url, "indexeddb"))
}

// told collects what the page is told of health.
const told = `window.told = []; db.on("health", (h) => told.push([h.indexedDB, h.loss?.unsent ?? null]))`

// A database that was evicted, cleared or damaged between two visits opens as an empty one. That is noticed, and said.
func TestADatabaseThatIsGoneAtStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose func(t *testing.T, profile string)
	}{
		{"cleared", func(t *testing.T, profile string) { remove(t, profile, cleared[engine.Name()]) }},
		{"damaged", damage},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			profile := t.TempDir()
			b := openBrowser(t, profile)
			one := b.open(s.url)
			one.start("")
			client := one.do(`await s.create("todo", {title: "sent"}); await s.settled(); return s.client`)
			one.want(`{"indexedDB":"ok","loss":null,"locks":true,"quota":"object"}`, `const h = await db.health(); return {indexedDB: h.indexedDB, loss: h.loss, locks: h.locks, quota: typeof h.quota}`)
			s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true }) // an emulated network would come back at the end
			one.do(`await s.create("todo", {title: "unsent"}); await s.create("todo", {title: "unsent"})`)
			one.eventually(`2`, `return JSON.parse(localStorage["strandline/test/"]).unsent["lists/1"]`)
			b.quit()
			s.setFault(nil)
			c.lose(t, profile)
			one = openBrowser(t, profile).open(s.url)
			one.do(`
				window.logged = [];
				while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
				window.db = await strandline.open({name: "test", server: location.origin, timers: {idle: 300, retry: 300}, log: (e) => logged.push(e)});
				%s;
				window.s = await db.stream("lists/1");
				window.titles = () => s.query({orderBy: "title"}).map((r) => r.title);`, told)
			one.eventually(`[["ok",2]]`, `return told`)
			one.want(`["lost"]`, `return logged.map((e) => e.code)`)
			one.eventually(`["sent"]`, `return titles()`)
			if again := one.do(`return s.client`); again == client {
				t.Error("it goes on under the client id of a log that is gone")
			}
			one.do(`await s.create("todo", {title: "after"}); await s.settled(); await db.close()`)
			one.start("")
			one.want(`[null,["after","sent"]]`, `return [(await db.health()).loss, titles()]`) // it is told once
			one.do(`await db.destroy({force: true})`)
			one.start("")
			one.want(`null`, `return (await db.health()).loss`) // who destroys it has lost nothing
		})
	}
}

// A database that is taken away while tabs have it open: nothing that was promised is lost, since it is sent from memory.
func TestADatabaseThatIsTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	all := tabs(b, s.url, 2, "")
	one, two := all[0], all[1]
	one.do(`await s.create("todo", {title: "sent"}); await s.settled()`)
	two.eventually(`["sent"]`, `return titles()`)
	for _, tb := range all {
		tb.offline(true)
		tb.do(told)
	}
	one.do(`window.kept = s.create("todo", {title: "kept"}); await kept`)
	two.eventually(`["kept","sent"]`, `return titles()`)
	one.clearIndexedDB(s.url)
	one.do(`window.saved = false; window.late = s.create("todo", {title: "late"}); late.then(() => saved = true, (e) => saved = e.code); return 0`)
	one.eventually(`[["lost",2]]`, `return told`)
	one.want(`["lost",["kept","late","sent"],false]`, `return [(await db.health()).indexedDB, titles(), saved]`) // it is told as kept when it is
	one.offline(false)
	one.do(`await late; await kept.persisted; await s.settled()`)
	two.offline(false)
	two.do(`await s.create("todo", {title: "from two"}); await s.settled()`)
	two.eventually(`1`, `return told.length`)
	for _, tb := range all {
		tb.do(`await db.sync()`)
		tb.eventually(`["from two","kept","late","sent"]`, `return titles()`)
	}
	one.want(`4`, `return s.head`)
	one.reload()
	one.start("")
	one.eventually(`["from two","kept","late","sent"]`, `return titles()`)
	one.want(`"ok"`, `return (await db.health()).indexedDB`)
}

// The same in the middle of transactions, which Chromium forgets then: no write hangs, and each is there once.
func TestADatabaseThatIsTakenAwayWhileItIsWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	for round := range 4 {
		one := b.open(s.url)
		one.start("")
		one.do(`
			window.writes = [];
			window.writing = setInterval(() => { for (let i = 0; i < 5; i++) writes.push(s.create("todo", {title: "%d/" + writes.length})) }, 1)`, round)
		one.eventually(`true`, `return writes.length > %d`, 100+37*round)
		one.clearIndexedDB(s.url)
		one.do(`await new Promise((r) => setTimeout(r, 300)); clearInterval(writing)`)
		one.do(`await Promise.allSettled(writes)`)
		one.do(`await db.sync()`)
		one.want(`[0,0]`, `
			const results = await Promise.allSettled(writes), there = titles().filter((title) => title.startsWith("%d/"));
			const kept = results.filter((r) => r.status === "fulfilled").length;
			return [results.length - kept, kept - there.length + there.length - new Set(there).size]`, round)
		one.goTo("about:blank")
	}
}

// Storage that is taken away at each state of a life: while the database is opened, open, started again, closed. It comes to an end in each, and nothing that was told as kept and not sent
// is lost without a word.
func TestStorageIsTakenAwayAtEachStateOfALife(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ state, begin, end string }{
		{"opening", `window.opening = strandline.open({name: "test", server: location.origin, timers: {retry: 300}, log: () => {}})`, `window.db = await opening; window.s = await db.stream("lists/1")`},
		{"restarting", `panic(); try { s.isPending("x") } catch {}`, `await db.health()`},
		{"closing", `window.w = s.create("todo", {title: "last"}).then(() => "kept", (e) => e.code); window.closing = db.close()`, `await closing; window.db = await strandline.open({name: "test", server: location.origin, log: () => {}}); window.s = await db.stream("lists/1")`},
	} {
		t.Run(c.state, func(t *testing.T) {
			s := newSite(t)
			one := openBrowser(t, t.TempDir()).open(s.url)
			one.do(spied)
			one.start(logging)
			one.do(`await s.create("todo", {title: "sent"}); await s.settled()`)
			if c.state == "opening" {
				one.do(`await db.close()`)
			}
			one.do(`%s; return 0`, c.begin)
			one.clearIndexedDB(s.url)
			one.do(`%s; return 0`, c.end)
			one.do(`await s.create("todo", {title: "after"}).persisted; await db.sync()`)
			one.eventually(`[true,true]`, `return [titles().includes("sent"), titles().includes("after")]`)
			if c.state == "closing" { // told as kept it is on the server, or lost with a word of health
				one.want(`true`, `return await w !== "kept" || titles().includes("last") || (await db.health()).loss !== null`)
			}
			one.do(`await db.close()`)
			one.start("")
			one.eventually(`[true,true]`, `return [titles().includes("sent"), titles().includes("after")]`)
		})
	}
}

// A program that dies in memory takes along what only that memory held, and says so.
func TestAProgramThatDiesInMemory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.do(spied)
	one.start(logging)
	one.do(`await s.create("todo", {title: "sent"}); await s.settled()`)
	one.offline(true)
	one.do(told)
	one.do(`await s.create("todo", {title: "kept"})`)
	one.clearIndexedDB(s.url)
	one.do(`s.create("todo", {title: "late"}).catch(() => {}); return 0`)
	one.eventually(`[["lost",2]]`, `return told`)
	one.do(`panic()`)
	one.eventually(`2`, `return told.length`)
	one.eventually(`true`, `try { const {indexedDB, loss} = await db.health(); return indexedDB === "ok" && loss.unsent === 2 } catch (e) { return e.code }`) // the new one has a database again
	one.offline(false)
	one.eventually(`["sent"]`, `try { return titles() } catch { return null }`)
	one.do(`await s.create("todo", {title: "after"}); await s.settled()`)
	// And it is one of its contexts again: it leads, and others see at once what it writes (J22).
	two := b.open(s.url)
	two.start("")
	two.eventually(`["after","sent"]`, `return titles()`)
	one.offline(true)
	two.offline(true)
	one.do(`await s.create("todo", {title: "beside"})`)
	two.eventually(`["after","beside","sent"]`, `return titles()`)
	one.want(`[true]`, `return [db.status.leader]`)
	two.want(`[false]`, `return [db.status.leader]`)
}

// Who destroys a database while other tabs write to it has not lost it: they close, and go on with nothing.
func TestDestroyIsNoLoss(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	for range 5 {
		all := tabs(b, s.url, 3, `{log: (e) => (window.logged ??= []).push(e.code)}`)
		for _, tb := range all[1:] {
			tb.do(told + `; (async () => { for (;;) { await s.create("todo", {title: "x"}) } })().catch((e) => window.ended = e.code)`)
		}
		all[0].do(`await new Promise((r) => setTimeout(r, 200)); await db.destroy({force: true})`)
		for _, tb := range all[1:] {
			tb.eventually(`"closed"`, `return window.ended`)
			tb.want(`[[],[]]`, `return [told, window.logged ?? []]`)
		}
		patience.True(t, "no connection to be left", func() bool { return s.listeners() == 0 })
		for _, tb := range all {
			tb.close()
		}
	}
}

// failing makes opens fail, or hang where there is no error; failFrames does so in frames too.
const failing = `
	window.failOpen = (error, win = window) => {
		const prototype = win.IDBFactory.prototype;
		prototype.real ??= prototype.open;
		prototype.open = !error ? prototype.real : function () {
			const r = Object.setPrototypeOf(new win.EventTarget(), win.IDBOpenDBRequest.prototype);
			for (const event of ["success", "error", "upgradeneeded"]) Object.defineProperty(r, "on" + event, {set: (f) => r.addEventListener(event, f)});
			if (error !== "hang") setTimeout(() => { Object.defineProperty(r, "error", {value: new win.DOMException(error[1], error[0])}); r.dispatchEvent(new win.Event("error")) });
			return r;
		};
	};
	window.failFrames = (error) => {
		failOpen(error);
		const append = document.documentElement.append;
		document.documentElement.append = function (frame) { append.call(this, frame); failOpen(error, frame.contentWindow) };
	};`

// Where the browser keeps nothing the app works all the same, and is told: a write is kept when the server has it.
func TestABrowserThatKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	for _, c := range []struct{ name, how, state string }{
		{"no IndexedDB", `Object.defineProperty(window, "indexedDB", {value: undefined})`, "unavailable"},
		{"open throws", `IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError") }`, "unavailable"},
		{"private mode", `failFrames(["InvalidStateError", "A mutation operation was attempted on a database that did not allow mutations."])`, "private"},
		{"a broken store", `failFrames(["UnknownError", "Internal error opening backing store for indexedDB.open."])`, "unavailable"},
		{"open hangs", `failOpen("hang")`, "unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := b.open(s.url)
			one.t = t
			one.do(`window.logged = []; localStorage.clear(); %s`, failing+c.how)
			one.start(`{name: "n", log: (e) => logged.push(e.code)}`)
			one.want(`["`+c.state+`",["storage"],true]`, `return [(await db.health()).indexedDB, logged, db.status.leader]`)
			one.offline(true)
			one.do(`window.saved = false; window.w = s.create("todo", {title: "in memory"}); w.then(() => saved = true); return 0`)
			one.eventually(`true`, `return s.status.error !== null`) // it was tried
			one.want(`[false,1,1]`, `return [saved, s.pending().length, s.count({where: {title: "in memory"}}) ? 1 : 0]`)
			one.offline(false)
			one.want(`"number"`, `await w; return typeof await w.persisted`)
			one.want(`0`, `return s.pending().length`)
			one.do(`await db.close()`)
			one.want(`"storage"`, `return await strandline.open({name: "local"}).catch((e) => e.code)`) // nothing would ever be kept
			one.goTo("about:blank")
		})
	}
}

// WebKit loses the process behind IndexedDB, and every open of the page fails from then on: a frame's does not.
func TestAFrameHeals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(failing + `
		window.connections = [];
		const real = IDBFactory.prototype.open;
		IDBFactory.prototype.open = function (...args) { const r = real.apply(this, args); r.addEventListener("success", () => connections.push(r.result)); return r };`)
	one.start(`{server: undefined}`)
	one.do(`
		await s.create("todo", {title: "before"});
		for (const c of connections) c.close();
		await s.create("todo", {title: "closed under us"});
		failOpen(["UnknownError", "Connection to Indexed Database server lost. Refresh the page to try again"]);
		for (const c of connections) c.close();
		await s.create("todo", {title: "through a frame"});
		await s.create("todo", {title: "again"});`)
	one.want(`["ok",1]`, `return [(await db.health()).indexedDB, document.querySelectorAll("iframe").length]`)
	one.do(`
		const first = document.querySelector("iframe").contentWindow; // it is lost again
		const frames = [];
		first.IDBDatabase.prototype.transaction = () => { throw new first.DOMException("closing", "InvalidStateError") };
		failOpen(["UnknownError", "Connection to Indexed Database server lost. Refresh the page to try again"], first);
		await s.create("todo", {title: "through another frame"});`)
	one.want(`["ok",2]`, `return [(await db.health()).indexedDB, document.querySelectorAll("iframe").length]`)
	one.reload()
	one.start(`{server: undefined}`)
	one.want(`["again","before","closed under us","through a frame","through another frame"]`, `return titles()`)
}

// failingCall makes the n-th call of IndexedDB fail: it throws, or its transaction is aborted.
const failingCall = `
		window.unhandled = [];
		addEventListener("unhandledrejection", (e) => unhandled.push(String(e.reason)));
		window.calls = 0; window.failAt = 0; window.how = "";
		for (const [prototype, names] of [[IDBObjectStore.prototype, ["add", "put", "get", "getAll", "getAllKeys", "delete", "count", "openCursor"]],
			[IDBIndex.prototype, ["getAll"]], [IDBDatabase.prototype, ["transaction"]]]) {
			for (const name of names) {
				const real = prototype[name];
				prototype[name] = function (...args) {
					if (++calls !== failAt) return real.apply(this, args);
					if (how === "throws") throw new DOMException("it fails", "UnknownError");
					const r = real.apply(this, args);
					(r instanceof IDBTransaction ? r : r.transaction).abort();
					return r;
				};
			}
		}
		const ends = (p) => Promise.resolve(p).catch((e) => e.code); // what hangs fails the test`

// nth makes every call fail once, in rounds of the given script: round(n, kind) tells whether it came to the n-th call.
func nth(t *testing.T, least int, round string) {
	tb := openBrowser(t, t.TempDir()).open(newSite(t).url)
	tb.do("%s", failingCall+round)
	for _, kind := range []string{"throws", "aborts"} {
		failed, beyond := 0, 0 // a round is as long as it happens to be
		for n := 1; beyond < 3; n++ {
			if tb.do(`return await round(%d, %q)`, n, kind) == "true" {
				failed, beyond = failed+1, 0
			} else {
				beyond++
			}
		}
		if t.Logf("%s: %d calls", kind, failed); failed < least {
			t.Errorf("only %d calls were made to fail", failed)
		}
	}
	tb.want(`[]`, `return unhandled`)
}

// For every n the n-th call of IndexedDB fails: what was told as kept is there, once, whatever it was that failed.
func TestTheNthRequestFails(t *testing.T) {
	t.Parallel()
	nth(t, 25, `
		window.round = async (n, kind) => {
			while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
			const options = {name: kind + n, server: location.origin, timers: {idle: 100, retry: 50}, log: () => {}};
			const name = "nth/" + kind + "/" + n, acked = [];
			calls = 0; failAt = n; how = kind;
			try {
				const db = await strandline.open(options);
				const s = await db.stream(name);
				for (let i = 0; i < 4; i++) {
					const w = s.create("todo", {i});
					if ((await ends(w.then(() => "kept"))) === "kept") acked.push(w.object);
				}
				await ends(s.settled());
				await ends(db.close());
			} catch (e) { if (!e.code) throw e }
			const reached = calls >= n;
			failAt = 0;
			const db = await strandline.open(options);
			const s = await db.stream(name);
			const there = new Set(s.query().map((row) => row.id));
			for (const id of acked) if (!there.has(id)) throw new Error("what was told as kept is lost at call " + n);
			await ends(s.settled());
			const log = await (await fetch("/v1/log?stream=" + name)).json();
			const ids = (log.entries ?? []).map((e) => e.action.id);
			if (new Set(ids).size !== ids.length || ids.length !== s.count()) throw new Error("the log has " + ids.length + " entries, here are " + s.count());
			await db.destroy({force: true});
			return reached;
		};`)
}

// Whatever call of the data streams' database fails.
func TestTheNthRequestOfDataStreamsFails(t *testing.T) {
	t.Parallel()
	nth(t, 20, `
		window.round = async (n, kind) => {
			while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
			const options = {name: "data-" + kind + n, server: location.origin, timers: {idle: 100, retry: 50}, log: () => {}};
			const name = "nth/" + kind + "/" + n, acked = [];
			const db = await strandline.open(options);
			calls = 0; failAt = n; how = kind;
			try {
				const d = await db.data(name);
				for (let i = 0; i < 4; i++) if ((await ends(d.append({i}).then(() => "kept"))) === "kept") acked.push(i);
				await ends(d.settled());
				await ends(d.read());
			} catch (e) { if (!e.code) throw e }
			const reached = calls >= n;
			await ends(db.close());
			failAt = 0;
			const again = await strandline.open(options);
			const d = await again.data(name);
			await ends(d.settled());
			const there = (await d.read()).map((e) => e.value.i);
			for (const i of acked) if (there.filter((j) => j === i).length !== 1) throw new Error("entry " + i + " was told as kept, here are " + there + ", at call " + n);
			const r = await fetch("/v1/data/" + name);
			const log = r.status === 404 ? [] : (await r.json()).map((e) => e.i);
			if (log.join() !== there.join() || new Set(log).size !== log.length) throw new Error("the log has " + log + ", here are " + there);
			await again.destroy({force: true});
			return reached;
		};`)
}

// Once somebody has written something, the browser is asked to keep it; its answer is shown.
func TestPersistentStorageIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.do(`
		window.asked = 0; // the browser's answer is put in its place: a headless one says no
		StorageManager.prototype.persist = async () => { asked++; return true };
		StorageManager.prototype.persisted = async () => asked > 0;`)
	one.start("")
	one.do(told)
	one.do(`await s.create("todo", {}); await new Promise((r) => setTimeout(r, 1500))`)
	one.want(`0`, `return asked`) // nobody has touched the page
	one.run("click", chromedp.MouseClickXY(50, 50))
	one.do(`await s.create("todo", {})`)
	one.eventually(`[1,true]`, `return [asked, (await db.health()).persisted]`)
	one.eventually(`1`, `return told.length`)
}

// cleared is what goes when a site's databases are, in each engine's profile.
var cleared = map[string]string{
	engine.Chromium: "Default/IndexedDB/*.indexeddb.*",
	engine.Firefox:  "storage/default/http*/idb",
	engine.WebKit:   "data/*/MiniBrowser/databases/indexeddb/v1/http*",
}

// damage writes over what a browser keeps of databases.
func damage(t *testing.T, profile string) {
	t.Helper()
	files := map[string]string{
		engine.Chromium: "Default/IndexedDB/*.indexeddb.leveldb/*",
		engine.Firefox:  "storage/default/http*/idb/*.sqlite",
		engine.WebKit:   "data/*/MiniBrowser/databases/indexeddb/v1/http*/*/IndexedDB.sqlite3",
	}[engine.Name()]
	for _, file := range glob(t, profile, files) {
		base := filepath.Base(file)
		if strings.Contains(base, ".sqlite") || strings.HasSuffix(base, ".log") || strings.HasPrefix(base, "MANIFEST") || strings.HasSuffix(base, ".ldb") {
			if err := os.WriteFile(file, []byte(strings.Repeat("damaged ", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
			_, _ = os.Remove(file+"-wal"), os.Remove(file+"-shm")
		}
	}
}

func glob(t *testing.T, profile, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(profile, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in the profile: %v", pattern, err)
	}
	return files
}

func remove(t *testing.T, profile, pattern string) {
	t.Helper()
	for _, path := range glob(t, profile, pattern) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(fmt.Errorf("remove %s: %w", path, err))
		}
	}
}
