package e2e

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// spied keeps what the page instantiates, so that a test can break it. It is run before the database is opened.
const spied = `
	window.unchecked = true; // what asks the program would notice what is broken
	window.instances = [];
	for (const name of ["instantiateStreaming", "instantiate"]) {
		const real = WebAssembly[name];
		WebAssembly[name] = async (...args) => { const r = await real.call(WebAssembly, ...args); instances.push((r.instance ?? r).exports); return r };
	}
	window.logged = [];
	window.panic = () => {
		instances.at(-1).strandline_write(2, 0, -1, 0); // of an input that is none
	};
	window.block = () => {
		const x = instances.at(-1), at = x.strandline_header();
		new Uint32Array(x.mem.buffer, at, 8)[7] -= 1; // as when a call came back before its end
		try { s.isPending("0b1ec700-0000-4000-8000-000000000009") } catch (e) { return e.code }
	};
	window.trap = () => {
		const id = "0b1ec700-0000-4000-8000-000000000009";
		const f = () => { s.isPending(id); s.writable(id); f() };
		for (let i = 0; i < 20 && !logged.some((l) => l.code === "restarted"); i++) try { f() } catch {}
	};
	window.exit = () => { instances.at(-1).strandline_input(0x7fffffff) }; // more than there is
	`

const logging = `{log: (e) => logged.push(e)}`

// The runtime dies in every way that it can: what was durable is there, what was under way is told, the rest goes on by itself.
func TestTheRuntimeIsRestarted(t *testing.T) {
	t.Parallel()
	b := openBrowser(t, t.TempDir())
	for _, how := range []string{"panic", "block", "trap", "exit"} {
		t.Run(how, func(t *testing.T) {
			s := newSite(t)
			one := b.open(s.url)
			one.t = t
			one.do(spied)
			one.start(logging)
			one.do(`await s.create("todo", {title: "sent"}); await s.settled()`)
			one.offline(true)
			one.do(`
				window.kept = s.create("todo", {title: "kept"});
				await kept;
				window.seen = [];
				s.subscribe({orderBy: "title"}, (rows) => seen.push(rows));
				await 0;
				window.row = seen[0][0];
				window.calls = 0;
				db.on("status", () => calls++);`)
			one.want(`["RestartedError","restarted",true,"RestartedError",1,"starting"]`, `
				const w = s.create("todo", {title: "maybe"});
				window.settled = s.settled().then(() => "settled", (e) => e.code); // it is asked again
				try { %s() } catch {}
				const shown = [s.count({where: {title: "kept"}}), s.status.state]; // and nobody who reads is kept from it
				window.meanwhile = s.create("todo", {title: "meanwhile"});
				const e = await w.catch((e) => e);
				return [e.name, e.code, e.retryable, (await w.persisted.catch((e) => e)).name, ...shown]`, how)
			one.eventually(`true`, `try { return s.count({where: {title: "kept"}}) === 1 && s.pending().length >= 1 } catch (e) { return e.code }`)
			one.want(`[true,true,true]`, `
				const rows = s.query({orderBy: "title"});
				return [seen.at(-1).length === rows.length, seen.at(-1)[0] === row, rows[0] === row]`)
			one.do(`await s.create("todo", {title: "after"})`)
			one.offline(false)
			one.want(`["number","number","settled"]`, `return [typeof await kept.persisted, typeof await meanwhile.persisted, await settled]`)
			one.do(`await s.settled(); await db.sync()`)
			one.want(`[true,1]`, `return [calls > 0, logged.filter((l) => l.code === "restarted").length]`)
			if how == "panic" {
				one.want(`[true,true]`, `const l = logged.find((l) => l.code === "restarted"); return [l.message.includes("out of range"), l.cause.includes("exportWrite")]`)
			}
			for _, title := range []string{"sent", "kept", "meanwhile", "after"} {
				if n := strings.Count(s.log("lists/1"), `"title":"`+title+`"`); n != 1 {
					t.Errorf("%q is in the log %d times", title, n)
				}
			}
		})
	}
}

// What a dead program has under way is aborted: the guards of its transactions are asked by nobody any more.
func TestTransactionsOfADeadProgramAreAborted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(spied + `
		window.open = new Set();
		window.ends = [];
		const real = IDBDatabase.prototype.transaction;
		IDBDatabase.prototype.transaction = function (stores, mode, options) {
			const tx = real.call(this, stores, mode, options);
			if (mode === "readwrite" && [...tx.objectStoreNames].includes("records")) {
				open.add(tx);
				tx.addEventListener("success", () => { tx.answered = true }, true); // its guard has been asked: it may be kept
				const { port1, port2 } = new MessageChannel();
				port1.onmessage = () => window.met?.();
				port2.postMessage(0);
				for (const end of ["complete", "abort"]) tx.addEventListener(end, () => { open.delete(tx); tx.ended = end });
			}
			return tx;
		}`)
	one.start(`{log: (e) => logged.push(e), timers: {idle: 60000, retry: 60000}}`)
	one.do(`await s.create("todo", {title: "before"}); await s.settled()`)
	one.offline(true)
	met := 0
	for i := range 8 {
		if met == 3 { // more restarts in a minute are too many
			break
		}
		if one.do(`
			window.live = [];
			const met = new Promise((r) => window.met = () => {
				window.met = null;
				live = [...open].filter((tx) => !tx.answered);
				if (live.length) try { panic() } catch {}
				r();
			});
			s.create("todo", {title: "%d"}).catch(() => {});
			await met;
			return live.length`, i) == "0" {
			continue
		}
		met++
		one.eventually(`["abort"]`, `return live.map((tx) => tx.ended)`)
		one.eventually(`true`, `try { return s.pending().length >= 0 } catch { return false }`) // rows can be read all the time
	}
	if met == 0 {
		t.Fatal("no transaction was under way")
	}
	one.offline(false)
	one.do(`await s.create("todo", {title: "after"}); await s.settled()`)
	one.want(`true`, `const all = titles(); return new Set(all).size === all.length && all.includes("before") && all.includes("after")`)
}

// Of several tabs one dies: the others notice nothing, and it is the leader still.
func TestALeaderIsRestarted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.do(spied)
	one.start(logging)
	two.start("")
	two.do(`await s.create("todo", {title: "a"}); await s.settled()`)
	one.do(`panic()`)
	two.do(`for (let i = 0; i < 20; i++) await s.create("todo", {title: "b"}); await s.settled()`)
	one.eventually(`[21,true]`, `try { return [s.count(), db.status.leader] } catch { return null }`)
	two.want(`false`, `return db.status.leader`)
	patience.True(t, "one connection for hints", func() bool { return s.listeners() == 1 })
	two.do(`await db.destroy({force: true})`) // nothing of the program that died holds the database open
	two.eventually(`true`, `return !(await indexedDB.databases()).some((d) => d.name === "strandline/test/")`)
}

// What dies again and again is given up, and says so.
func TestARuntimeThatKeepsDying(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(spied)
	one.start(logging)
	one.offline(true)
	one.do(`window.w = s.create("todo", {title: "a"}); window.index = w.persisted; await w; s.query()`)
	for range 3 {
		one.do(`panic()`)
		one.want(`"starting"`, `return s.status.state`)
		one.want(`1`, `return s.count()`) // what is there can be read meanwhile
		one.want(`1`, `await s.ready; return s.pending().length`)
	}
	one.offline(false)
	one.want(`"number"`, `return typeof await index`)
	one.do(`panic()`)
	one.want(`["internal","internal","internal"]`, `
		const code = (f) => { try { f(); return "ok" } catch (e) { return e.code } };
		return [code(() => s.count()), await db.sync().catch((e) => e.code), await s.create("todo", {}).catch((e) => e.code)]`)
	one.start(logging)
	one.want(`1`, `return s.count()`)
}

// Memory that has grown beyond need is given back, while nothing is under way, and nobody notices but by the log.
func TestGrownMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(spied + `
		const interval = setInterval;
		window.setInterval = (f, ms) => interval(f, ms === 10000 ? 200 : ms);`)
	one.start(`{server: undefined, log: (e) => logged.push(e)}`)
	one.do(`
		for (let i = 0; i < 400; i++) s.create("blob", {text: "x".repeat(200_000)});
		await s.create("todo", {title: "small"});
		for (let i = 0; i < 3; i++) s.query({type: "blob"});
		let last; for (const row of s.query({type: "blob"})) last = s.remove(row.id);
		await last;`)
	one.eventually(`[1,1,true]`, `try { return [s.count(), logged.filter((l) => l.code === "restarted").length, instances.at(-1).mem.buffer.byteLength < instances[0].mem.buffer.byteLength] } catch { return null }`)
	one.do(`
		for (let done = false; !done; ) { // it may be given back once more
			try { await s.create("todo", {title: "after"}); done = true }
			catch (e) { if (e.code !== "restarted") throw e; await new Promise((r) => setTimeout(r, 20)) }
		}`)
	one.eventually(`2`, `try { return s.count() } catch { return null }`)
}
