package e2e

import (
	"fmt"
	"testing"
)

// helpers for the bodies of the tests below.
const helpers = `
	const fails = async (f) => { try { await f() } catch (e) { return [e.name, e.code, e.path] } return "did not fail" };
	const same = (a, b) => { if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(JSON.stringify(a) + " is not " + JSON.stringify(b)) };
	const tick = () => new Promise((r) => setTimeout(r, 0));
	const nil = "00000000-0000-0000-0000-000000000000", other = "01890000-0000-7000-8000-000000000000";
`

func TestAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{server: undefined, log: (e) => (window.logged ??= []).push(e)}`)
	for _, c := range []struct{ name, body string }{
		{"create", `
			const w = s.create("todo", {title: "a", nested: {list: [1, {x: null}]}, skipped: undefined});
			if (!(w instanceof Promise) || w.object.length !== 36 || w.action.length !== 36) throw new Error("no Write");
			same(s.get(w.object), {id: w.object, type: "todo", nested: {list: [1, {x: null}]}, title: "a"}); // at once, before it is durable
			same(s.isPending(w.object), true);
			same(s.pending(w.object)[0].seq, null);
			same(await w, w.object);
			same(typeof s.pending(w.object)[0].seq, "number");
			const id = crypto.randomUUID();
			same(await s.create("todo", {}, {id}), id);`},
		{"rows are frozen and identical until they change", `
			const id = await s.create("todo", {title: "x", deep: {a: [1]}});
			const row = s.get(id);
			same([row === s.get(id), row === s.query({where: {title: "x"}})[0], Object.isFrozen(row.deep.a)], [true, true, true]);
			await s.update(id, {title: "x"});
			same(row === s.get(id), true);
			await s.update(id, {title: "y"});
			same([row === s.get(id), row.title, s.get(id).title], [false, "x", "y"]);`},
		{"update", `
			const id = await s.create("todo", {title: "x", n: 1, list: [1], gone: 1});
			await s.update(id, {title: "y", gone: strandline.unset(), n: strandline.increment(2), list: strandline.union(1, 2)});
			same(s.get(id), {id, type: "todo", list: [1, 2], n: 3, title: "y"});
			await s.update(id, {list: strandline.without(1), fresh: strandline.increment()});
			same(s.get(id), {id, type: "todo", fresh: 1, list: [2], n: 3, title: "y"});
			const ops = s.pending(id).at(-1).ops;
			same(ops, [{inc: {fresh: 1}, object: id, op: "update", without: {list: [1]}}]); // only the keys that changed
			const before = s.pending().length;
			same((await s.update(id, {}), s.update(id, {}).action), nil);
			same(s.pending().length, before);`},
		{"edit", `
			const id = await s.create("todo", {title: "x", done: false, tags: ["a"], gone: 1});
			await s.edit(id, (d) => { d.done = true; d.tags.push("b"); delete d.gone; d.title = "x"; });
			same(s.get(id), {id, type: "todo", done: true, tags: ["a", "b"], title: "x"});
			same(s.pending(id).at(-1).ops, [{object: id, op: "update", set: {done: true, tags: ["a", "b"]}, unset: ["gone"]}]);
			same(await fails(() => s.edit(id, () => { throw new RangeError("mine") })), ["RangeError", undefined, undefined]);
			same(await fails(() => s.edit(id, async () => {})), ["InvalidError", "invalid", ""]);
			same(await fails(() => s.edit(other, () => {})), ["NotFoundError", "not-found", undefined]);`},
		{"remove", `
			const id = await s.create("todo", {title: "x"});
			await s.remove(id);
			same([s.get(id), await fails(() => s.remove(id))], [undefined, ["NotFoundError", "not-found", undefined]]);`},
		{"query", `
			for (const r of s.query()) s.remove(r.id);
			for (let i = 0; i < 10; i++) s.create(i % 2 ? "odd" : "even", {n: i, s: "s" + i % 3, tags: ["t" + i % 4], on: i > 5});
			await s.create("even", {n: "text"});
			await s.create("even", {});
			const ns = (q) => s.query(q).map((r) => r.n);
			same(ns({type: "odd", orderBy: "n"}), [1, 3, 5, 7, 9]);
			same(ns({where: {n: {gte: 3, lt: 6}}, orderBy: {key: "n", direction: "desc"}}), [5, 4, 3]);
			same(ns({where: {s: "s1", on: true}, orderBy: "n"}), [7]);
			same(ns({where: {n: {in: [2, 4, 99]}}, orderBy: "n"}), [2, 4]);
			same(ns({where: {tags: {has: "t3"}}, orderBy: "n"}), [3, 7]);
			same(ns({where: {n: {ne: 1}}, type: "odd", orderBy: "n"}), [3, 5, 7, 9]);
			same(ns({orderBy: ["s", {key: "n", direction: "desc"}], where: {n: {gte: 0}}, limit: 4, offset: 1}), [6, 3, 0, 7]);
			same(ns({type: "even", orderBy: "n"}), [undefined, 0, 2, 4, 6, 8, "text"].map((x) => x === undefined ? null : x));
			same([s.count(), s.count({type: "odd"}), s.count({type: "odd", limit: 2}), s.count({type: "none"})], [12, 5, 2, 0]);
			same(s.query({type: "odd"}).map((r) => r.n), [1, 3, 5, 7, 9]); // by id, which is by time of creation`},
		{"subscribe", `
			for (const r of s.query()) await s.remove(r.id);
			await tick();
			const calls = [];
			const stop = s.subscribe({type: "todo", where: {done: false}, orderBy: "n", limit: 3}, (rows, change) => calls.push([rows.map((r) => r.n), change]));
			same(calls.length, 0);
			await null;
			same(calls.splice(0), [[[], {added: [], changed: [], removed: [], origin: "local"}]]);
			const ids = [2, 1, 3].map((n) => s.create("todo", {n, done: false}).object);
			same(calls.length, 0); // never inside a write
			await null; await null;
			same(calls.splice(0), [[[1, 2, 3], {added: [ids[1], ids[0], ids[2]], changed: [], removed: [], origin: "local"}]]); // once for all three
			await s.update(ids[0], {title: "two"});
			await s.create("note", {n: 9, done: false});
			same(calls.splice(0).map((c) => c[1]), [{added: [], changed: [ids[0]], removed: [], origin: "local"}]);
			s.update(ids[1], {done: true});
			const four = s.create("todo", {n: 4, done: false}).object;
			await tick();
			same(calls.splice(0), [[[2, 3, 4], {added: [four], changed: [], removed: [ids[1]], origin: "local"}]]);
			const rewriting = s.subscribe({where: {n: 4}}, (rows) => { if (rows[0] && !rows[0].seen) s.update(rows[0].id, {seen: true}) });
			await tick();
			same(s.get(four).seen, true);
			const throwing = s.subscribe({}, () => { throw new Error("mine") });
			await null;
			same([logged.at(-1).code, logged.at(-1).cause.message], ["subscriber", "mine"]);
			throwing(); rewriting(); stop(); stop();
			calls.length = 0;
			await s.remove(four);
			await tick();
			same(calls, []);`},
		{"prototypes are data", `
			const fields = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": "x"}');
			const id = await s.create("__proto__", fields);
			const row = s.get(id);
			same([Object.keys(row).sort(), row.constructor, ({}).polluted, Object.getPrototypeOf(row) === Object.prototype], [["__proto__", "constructor", "id", "toString", "type"], 1, undefined, true]);
			await s.update(id, JSON.parse('{"__proto__": 5}'));
			same(Object.getOwnPropertyDescriptor(s.get(id), "__proto__").value, 5);
			same(s.query({where: JSON.parse('{"__proto__": 5}')}).length, 1);`},
		{"values survive to the letter", `
			const values = {s: "\u2028<&>\ud83d\ude00\"\\\n\0\u007f", f: 0.1, e: 1e21, small: 5e-324, big: 1.7976931348623157e308, z: -0, n: null, a: [[], {}, ""], "é\ufb33😀": 1, i: 9007199254740991, t: true};
			const id = await s.create("v", values);
			const {id: _, type, ...got} = s.get(id);
			for (const k of Object.keys(values)) if (JSON.stringify(got[k]) !== JSON.stringify(values[k])) throw new Error(k);
			same(Object.keys(got).length, Object.keys(values).length);`},
		{"status", `
			const st = s.status;
			same([st.state, st.reason, st.head, st.rejected, st.next, st.lastSynced, st.error, st.pending === s.pending().length], ["offline", null, 0, 0, null, null, null, true]);
			same([db.status.user, db.status.online, Object.keys(db.status.streams), s.head], [null, false, ["lists/1"], 0]);
			const seen = [];
			const off = s.on("status", (e) => seen.push(e.pending));
			const off2 = db.on("status", (e) => seen.push(Object.keys(e.streams)[0]));
			s.create("todo", {});
			await tick();
			same(seen.length >= 2 && seen.includes(s.pending().length) && seen.includes("lists/1"), true);
			off(); off2();`},
		{"writes of one tick share a commit", `
			const before = (await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => { const c = q.result.transaction("records").objectStore("records").count(); c.onsuccess = () => { q.result.close(); r(c.result) } } }));
			await Promise.all(Array.from({length: 500}, (_, i) => s.create("bulk", {i})));
			const after = (await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => { const c = q.result.transaction("records").objectStore("records").count(); c.onsuccess = () => { q.result.close(); r(c.result) } } }));
			same(after - before, 1);`},
		{"the same stream is one object", `
			same([await db.stream("lists/1") === s, (await db.stream("other")).count()], [true, 0]);
			await (await db.stream("other")).close();
			same((await db.stream("other")).count(), 0);`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := *one
			tb.t = t
			tb.want(`"ok"`, "%s", helpers+c.body+"\nreturn 'ok';")
		})
	}
}

// Bad input: a typed error with a stable code and the path of the fault; nothing is written.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`window.id = await s.create("todo", {title: "x", n: 1, list: []}); await s.settled()`)
	before := one.do(`return s.query()`)
	for _, c := range []struct{ call, want string }{
		{`s.create("todo", {a: {b: [1, () => 1]}})`, `["InvalidError","invalid","/a/b/1"]`},
		{`s.create("todo", {a: NaN})`, `["InvalidError","invalid","/a"]`},
		{`s.create("todo", {a: -Infinity})`, `["InvalidError","invalid","/a"]`},
		{`s.create("todo", {a: 1n})`, `["InvalidError","invalid","/a"]`},
		{`s.create("todo", {a: Symbol("x")})`, `["InvalidError","invalid","/a"]`},
		{`s.create("todo", {a: [undefined]})`, `["InvalidError","invalid","/a/0"]`},
		{`s.create("todo", {a: [1,,2]})`, `["InvalidError","invalid","/a/1"]`},
		{`s.create("todo", {a: new Date()})`, `["InvalidError","invalid","/a"]`},
		{`s.create("todo", {"a/b": new Map()})`, `["InvalidError","invalid","/a~1b"]`},
		{`s.create("todo", {a: strandline.increment()})`, `["InvalidError","invalid","/a"]`},
		{`(() => { const a = {}; a.a = a; return s.create("todo", {a}) })()`, `["InvalidError","invalid","/a` + repeat("/a", 60) + `"]`},
		{`s.create("todo", {a: {b: "\ud800"}})`, `["InvalidError","invalid","/a/b"]`},
		{`s.create("todo", {id: 1})`, `["InvalidError","invalid","/id"]`},
		{`s.create("todo", {type: 1})`, `["InvalidError","invalid","/type"]`},
		{`s.create("todo", {"": 1})`, `["InvalidError","invalid","/"]`},
		{`s.create("todo", {["k".repeat(129)]: 1})`, `["InvalidError","too-large","/` + repeat("k", 129) + `"]`},
		{`s.create("todo", [{}, []])`, `["InvalidError","invalid","/1"]`},
		{`s.create("todo", null)`, `["InvalidError","invalid",""]`},
		{`s.create("", {})`, `["InvalidError","invalid",""]`},
		{`s.create(5, {})`, `["InvalidError","invalid",""]`},
		{`s.create("todo", {}, {id: "nope"})`, `["InvalidError","invalid","/id"]`},
		{`s.create("todo", {}, {id: crypto.randomUUID().toUpperCase()})`, `["InvalidError","invalid","/id"]`},
		{`s.create("todo", {}, {id})`, `["InvalidError","exists","/id"]`},
		{`s.create("todo", {a: "x".repeat(300000)})`, `["InvalidError","too-large",""]`},
		{`s.update(id, {n: () => 1})`, `["InvalidError","invalid","/n"]`},
		{`s.update(id, {n: strandline.increment("1")})`, `["InvalidError","invalid","/n"]`},
		{`s.update(id, {title: strandline.increment()})`, `["InvalidError","invalid","/title"]`},
		{`s.update(id, {n: strandline.union(1)})`, `["InvalidError","invalid","/n"]`},
		{`s.update(id, {list: strandline.union(...Array.from({length: 1001}, (_, i) => i))})`, `["InvalidError","too-large","/list"]`},
		{`s.update(id, {id: 5})`, `["InvalidError","invalid","/id"]`},
		{`s.on("nope", () => {})`, `["InvalidError","invalid",""]`},
		{`s.on("status")`, `["InvalidError","invalid",""]`},
		{`db.on("rejected", () => {})`, `["InvalidError","invalid",""]`},
		{`s.create("todo", {a: NaN}).catch((e) => { throw JSON.parse(JSON.stringify(e)) })`, `["InvalidError","invalid","/a"]`},
		{`s.query({where: {list: undefined}})`, `["InvalidError","invalid","/where/list"]`},
		{`s.count({where: {"a/b": undefined}})`, `["InvalidError","invalid","/where/a~1b"]`},
		{`s.update(id, {type: undefined})`, `["InvalidError","invalid","/type"]`},
		{`s.update(id, {"a/b": undefined})`, `["InvalidError","invalid","/a~1b"]`},
		{`s.transact((tx) => tx.update(id, {n: undefined}))`, `["InvalidError","invalid","/0/n"]`},
		{`s.update(id, null)`, `["InvalidError","invalid",""]`},
		{`s.update(other, {a: 1})`, `["NotFoundError","not-found",null]`},
		{`s.update("nope", {a: 1})`, `["NotFoundError","not-found",null]`},
		{`s.update(undefined, {a: 1})`, `["NotFoundError","not-found",null]`},
		{`s.remove(other)`, `["NotFoundError","not-found",null]`},
		{`s.query({where: {a: () => 1}})`, `["InvalidError","invalid","/where/a"]`},
		{`s.query({limit: -1})`, `["InvalidError","invalid","/limit"]`},
		{`s.query({limit: 1.5})`, `["InvalidError","invalid","/limit"]`},
		{`s.query({order: "a"})`, `["InvalidError","invalid","/order"]`},
		{`s.query({orderBy: {key: "a", direction: "up"}})`, `["InvalidError","invalid","/orderBy/direction"]`},
		{`s.query({where: {a: {gte: 1, foo: 2}}})`, `["InvalidError","invalid","/where/a/foo"]`},
		{`s.query({where: {a: {gte: undefined}}})`, `["InvalidError","invalid","/where/a/gte"]`},
		{`s.create("t", {}, {uuid: 1})`, `["InvalidError","invalid","/uuid"]`},
		{`s.create("t", {}, null)`, `["InvalidError","invalid",""]`},
		{`s.query({where: {a: {in: 5}}})`, `["InvalidError","invalid","/where/a/in"]`},
		{`s.query("all")`, `["InvalidError","invalid",""]`},
		{`s.subscribe({limit: "x"}, () => {})`, `["InvalidError","invalid","/limit"]`},
		{`s.subscribe({}, "fn")`, `["InvalidError","invalid",""]`},
		{`db.stream("")`, `["InvalidError","invalid","/name"]`},
		{`db.stream("a/../b")`, `["InvalidError","invalid","/name"]`},
		{`db.stream("ä")`, `["InvalidError","invalid","/name"]`},
		{`db.stream(5)`, `["InvalidError","invalid","/name"]`},
		{`strandline.open({})`, `["InvalidError","invalid","/name"]`},
		{`strandline.open()`, `["InvalidError","invalid",""]`},
		{`strandline.open({name: "x", severs: 1})`, `["InvalidError","invalid","/severs"]`},
		{`strandline.open({name: "x", server: "ftp://x"})`, `["InvalidError","invalid","/server"]`},
		{`strandline.open({name: "x", durability: "most"})`, `["InvalidError","invalid","/durability"]`},
		{`strandline.open({name: "x", timers: {idle: -5}})`, `["InvalidError","invalid","/timers/idle"]`},
	} {
		one.want(c.want, "%s", helpers+"return await fails(() => "+c.call+")")
	}
	one.want(before, `return s.query()`)
	one.want(`0`, `return s.pending().length`)
	one.want(`true`, helpers+`return s.get("nope") === undefined && s.get(5) === undefined && s.pending("nope").length === 0 && !s.isPending("nope")`)
	one.want(`["UnsentError",1]`, helpers+`s.create("todo", {}); try { await db.destroy() } catch (e) { return [e.name, e.pending] }`)
	one.do(`await s.settled(); await s.close()`)
	one.want(`[["ClosedError","closed",null],["ClosedError","closed",null],["ClosedError","closed",null]]`,
		helpers+`return [await fails(() => s.create("todo", {})), await fails(() => s.query()), await fails(() => s.settled())]`)
	one.do(`window.s2 = await db.stream("lists/1"); await db.close(); await db.close()`)
	one.want(`[["ClosedError","closed",null],["ClosedError","closed",null]]`, helpers+`return [await fails(() => s2.get(id)), await fails(() => db.stream("x"))]`)
	one.start("")
	one.do(`await db.destroy({force: true})`)
	one.want(`[]`, `return (await indexedDB.databases()).map((d) => d.name)`)
}

func repeat(s string, n int) string {
	out := ""
	for range n {
		out += s
	}
	return out
}

// Every page error is a failure of the runtime, not of the app: a long mixed use leaves the console clean.
func TestTheConsoleStaysClean(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`
		s.subscribe({orderBy: "n"}, () => {});
		for (let i = 0; i < 200; i++) {
			const w = s.create("n", {n: i});
			if (i %% 3 === 0) s.update(w.object, {n: -i});
			if (i %% 5 === 0) s.remove(w.object);
			if (i %% 20 === 0) await w;
		}
		await s.settled();`)
	one.do(`await db.close()`)
	if len(*one.console) > 0 {
		t.Fatal(fmt.Sprint(*one.console))
	}
}
