package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestTransactions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`"ok"`, helpers+`
		const list = await s.create("list", {n: 0, tags: []});
		let made;
		const w = s.transact((tx) => {
			made = tx.create("todo", {title: "a", list});
			tx.update(made, {done: false, n: strandline.increment(2)});
			tx.update(list, {n: strandline.increment(), tags: strandline.union("x")});
			tx.update(list, {});
			tx.require({object: list, unchanged: true});
			tx.require({object: list, key: "n", equals: 0});
		});
		same([s.get(made).title, s.get(list).n, w.object === nil, w.action.length], ["a", 1, true, 36]); // at once
		same(await w, undefined);
		const a = s.pending().at(-1);
		same([a.ops.length, a.if.length, a.atomic], [3, 2, true]);
		const index = await w.persisted;
		same([index, await s.persisted(w.action)], [2, 2]);

		// What does not stand here and now rejects, and writes nothing.
		const rows = JSON.stringify(s.query());
		const gone = await s.create("todo", {}); await s.remove(gone);
		await s.settled();
		const head = s.head;
		const tries = {
			"a guard": [(tx) => { tx.update(list, {n: 9}); tx.require({object: list, key: "n", equals: 7}) }, ["ConflictError", "conflict", undefined]],
			"a guard on an unknown object": [(tx) => { tx.update(list, {n: 9}); tx.require({object: other, exists: true}) }, ["ConflictError", "conflict", undefined]],
			"a part": [(tx) => { tx.update(list, {n: 9}); tx.update(gone, {n: 1}) }, ["NotFoundError", "not-found", undefined]],
			"an object that is there": [(tx) => { tx.update(list, {n: 9}); tx.create("list", {}, {id: list}) }, ["InvalidError", "exists", "/1/id"]],
			"a key": [(tx) => { tx.create("todo", {}); tx.update(list, {tags: strandline.increment()}) }, ["InvalidError", "invalid", "/1/tags"]],
			"a bad value": [(tx) => { tx.update(list, {n: 9}); tx.create("todo", {x: [undefined]}) }, ["InvalidError", "invalid", "/1/x/0"]],
			"a bad id": [(tx) => { tx.update(list, {n: 9}); tx.create("todo", {}, {id: "nope"}) }, ["InvalidError", "invalid", "/1/id"]],
			"a reserved key": [(tx) => { tx.update(list, {n: 9}); tx.create("todo", {type: "x"}) }, ["InvalidError", "invalid", "/1/type"]],
			"a bad guard": [(tx) => { tx.update(list, {n: 9}); tx.require({object: list, near: 1}) }, ["InvalidError", "invalid", "/if/0/near"]],
			"no guard": [(tx) => { tx.update(list, {n: 9}); tx.require("x") }, ["InvalidError", "invalid", "/if/0"]],
			"what the function throws": [(tx) => { tx.update(list, {n: 9}); throw new RangeError("mine") }, ["RangeError", undefined, undefined]],
			"an async function": [async (tx) => { tx.update(list, {n: 9}) }, ["InvalidError", "invalid", ""]],
			"too many ops": [(tx) => { for (let i = 0; i < 1001; i++) tx.create("todo", {}) }, ["InvalidError", "too-large", ""]],
			"too many bytes": [(tx) => { for (let i = 0; i < 300; i++) tx.create("todo", {a: "x".repeat(1000)}) }, ["InvalidError", "too-large", ""]],
			"no function": ["x", ["InvalidError", "invalid", ""]],
		};
		for (const [name, [fn, want]] of Object.entries(tries)) {
			const got = await fails(() => s.transact(fn));
			if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(name + ": " + JSON.stringify(got));
			const p = s.transact(fn); await p.catch(() => {});
			same([p.action, (await fails(() => p.persisted))[0]], [nil, want[0]]);
		}
		let kept;
		await s.transact((tx) => { kept = tx });
		same(await fails(() => kept.remove(list)), ["InvalidError", "invalid", ""]);
		same([JSON.stringify(s.query()) === rows, s.pending().length, s.head === head], [true, 0, true]);
		return "ok"`)
}

// Of two transactions that want the same thing the first in the log gets it; the other one's author hears of it, also after a reload.
func TestOneOfTwoTransactionsWins(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	profile := openBrowser(t, t.TempDir())
	one, two := profile.open(s.url), openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	two.start("")
	id := one.do(`const w = s.create("seat", {by: null}); await w.persisted; return w.object`)
	two.eventually(`null`, `return s.get(%s)?.by ?? null`, id)
	two.eventually(`1`, `return s.head`)
	const take = `window.w = s.transact((tx) => { tx.require({object: %s, key: "by", equals: null}); tx.update(%[1]s, {by: %q}); tx.create("ticket", {for: %[2]q}) }); await w; return w.action`
	one.offline(true)
	action := one.do(take, id, "one")
	one.want(`"one"`, `return s.get(%s).by`, id)
	two.do(take+`, await w.persisted`, id, "two")
	s.setFault(func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	one.offline(false)
	one.reload()
	one.start("")
	one.do(`await s.ready`)
	one.want(`1`, `return s.pending().length`)
	s.setFault(nil)
	one.want(`["ConflictError","conflict"]`, `await db.sync(); try { return await s.persisted(%s) } catch (e) { return [e.name, e.code] }`, action)
	one.eventually(`["two",1]`, `return [s.get(%s).by, s.count({type: "ticket"})]`, id)
	one.want(`["ConflictError","conflict"]`, `try { return await s.persisted(%s) } catch (e) { return [e.name, e.code] }`, action)
	one.want(`["NotFoundError","NotFoundError"]`, helpers+`return [(await fails(() => s.persisted(other)))[0], (await fails(() => s.persisted("x")))[0]]`)
}

// What a transaction reads is the state with what it has written, all taken back where it does not stand.
func TestReadsWithinATransaction(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`"ok"`, helpers+`
		const list = await s.create("list", {n: 1, tags: ["x"]}), gone = await s.create("todo", {title: "gone", n: 3});
		for (const n of [1, 2]) await s.create("todo", {title: "t" + n, n});
		const titles = (tx, q) => tx.query({type: "todo", orderBy: "n", ...q}).map((row) => row.title);
		let made, before, calls = 0;
		const end = s.subscribe({}, () => calls++);
		await Promise.resolve();
		const told = calls;
		await s.transact((tx) => {
			before = tx.get(list);
			same(before === s.get(list), true); // untouched, it is the same row
			made = tx.create("todo", {title: "made", n: 0});
			same([tx.get(made).title, s.get(made)], ["made", undefined]); // of the transaction alone
			tx.update(list, {n: strandline.increment(2), tags: strandline.union("y")});
			tx.update(list, {n: strandline.increment()});
			same([tx.get(list).n, tx.get(list).tags, s.get(list).n], [4, ["x", "y"], 1]);
			same(tx.get(list) === tx.get(list), true);
			same(Object.isFrozen(tx.get(list).tags), true);
			tx.remove(gone);
			same([tx.get(gone), s.get(gone).title], [undefined, "gone"]);
			same(titles(tx), ["made", "t1", "t2"]);
			same(titles(tx, {limit: 1, offset: 1}), ["t1"]);
			same(titles(tx, {where: {n: {gt: 0}}}), ["t1", "t2"]);
			same(titles(tx, {filter: (row) => row.n < 2}), ["made", "t1"]);
			same(titles(tx, {pending: true}).includes("made"), true);
			same(titles(s, {}), ["t1", "t2", "gone"]);
			same([tx.get("nope"), tx.get(5)], [undefined, undefined]);
			tx.update(made, {n: 9});
			same(titles(tx), ["t1", "t2", "made"]);
			same(calls, told); // nobody was told of what may be taken back
		});
		same([s.get(made).n, s.get(list).n, s.get(gone)], [9, 4, undefined]);
		await Promise.resolve();
		same(calls > told, true);

		// What throws takes everything back; the error of a read names the op that does not stand.
		const rows = JSON.stringify(s.query());
		let seen;
		const failed = await fails(() => s.transact((tx) => { tx.update(list, {n: 100}); seen = tx.get(list).n; throw new RangeError("mine") }));
		same([seen, failed[0], JSON.stringify(s.query()) === rows], [100, "RangeError", true]);
		same(await fails(() => s.transact((tx) => { tx.update(list, {n: 5}); tx.update(list, {tags: strandline.increment()}); tx.get(list) })), ["InvalidError", "invalid", "/1/tags"]);
		same(await fails(() => s.transact((tx) => { tx.query({where: 5}) })), ["InvalidError", "invalid", "/where"]);
		let kept;
		await s.transact((tx) => { kept = tx });
		same(await fails(() => kept.get(list)), ["InvalidError", "invalid", ""]);
		same(JSON.stringify(s.query()) === rows, true);

		// A write elsewhere in the meantime is beneath.
		await s.transact((tx) => {
			tx.update(list, {tags: strandline.union("z")});
			same(tx.get(list).n, 4);
			s.update(list, {n: 50});
			same([tx.get(list).n, tx.get(list).tags], [50, ["x", "y", "z"]]);
		});
		same([s.get(list).n, s.get(list).tags], [50, ["x", "y", "z"]]);
		end();
		return "ok"`)
}

// Fields that are not JSON: what is kept is what the codec says, what is read is what it gives back, and that is asked for too.
func TestCodecs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`window.shown = (v) => JSON.stringify(v, (k, v) => typeof v === "bigint" ? v + "n" : v instanceof Uint8Array ? [...v] : v);
		window.same = (a, b) => { if (shown(a) !== shown(b)) throw new Error(shown(a) + " is not " + shown(b)) };`)
	one.start("")
	one.want(`"ok"`, `
		const { date, bigint, bytes } = strandline;
		class Money { constructor(cents) { this.cents = cents } }
		const money = { encode: (m) => { if (!(m instanceof Money)) throw new Error("no money"); return m.cents }, decode: (cents) => new Money(cents), ordered: true };
		const codecs = { due: date, size: bigint, blob: bytes, price: money };
		const c = await db.stream("coded", {schema: {todo: { codecs }}});
		const fails = (w) => Promise.resolve().then(w).then(() => "did not fail", (e) => [e.code, e.path]);
		const at = (day) => new Date("2026-01-0" + day + "T00:00:00Z");
		const id = await c.create("todo", {title: "a", due: at(2), size: 2n ** 70n, blob: new Uint8Array([1, 2, 255]), price: new Money(5)});
		await c.create("todo", [{title: "b", due: at(1), price: new Money(7)}, {title: "c"}]);
		const row = c.get(id);
		same([row.due instanceof Date, +row.due === +at(2), row.size, row.blob, row.price instanceof Money, row.price.cents], [true, true, 2n ** 70n, new Uint8Array([1, 2, 255]), true, 5]);
		same([row === c.get(id), row === c.query({where: {title: "a"}})[0], c.query() === c.query()], [true, true, true]);
		const titles = (q) => c.query(q).map((row) => row.title);
		same(titles({orderBy: "due"}), ["c", "b", "a"]);
		same(titles({where: {due: {gt: at(1)}}}), ["a"]);
		same(titles({where: {due: at(1)}}), ["b"]);
		same(titles({where: {or: [{due: {in: [at(1)]}}, {size: 2n ** 70n}]}, orderBy: "title"}), ["a", "b"]);
		same(titles({where: {price: {gte: new Money(6)}}}), ["b"]);
		same(titles({filter: (row) => row.due > at(1)}), ["a"]);
		same(titles({orderBy: "due", after: c.query({orderBy: "due"})[1]}), ["a"]);
		same(await fails(() => c.query({orderBy: "size"})), ["invalid", "/orderBy"]);
		same(await fails(() => c.query({where: {size: {gt: 1n}}})), ["invalid", "/where/size/gt"]);
		same(await fails(() => c.create("todo", {due: "tomorrow"})), ["invalid", "/due"]);
		same(await fails(() => c.update(id, {price: 3})), ["invalid", "/price"]);
		await c.update(id, {due: at(3), size: strandline.unset()});
		await c.edit(id, (draft) => { draft.price = new Money(draft.price.cents + 1); draft.due.setUTCDate(4) });
		same([+c.get(id).due === +at(4), c.get(id).price.cents, "size" in c.get(id)], [true, 6, false]);
		await c.transact((tx) => {
			tx.update(id, {due: at(5)});
			same([+tx.get(id).due === +at(5), +tx.query({orderBy: "due"}).at(-1).due === +at(5)], [true, true]);
		});
		let told;
		const end = c.subscribe({type: "todo", orderBy: "title"}, (rows) => { told = rows });
		await c.update(id, {due: at(6)});
		await new Promise((r) => setTimeout(r));
		end();
		same([told[0] === c.get(id), +told[0].due === +at(6), +c.live(id).current.due === +at(6)], [true, true, true]);
		same((await c.import([{...c.get(id), id: crypto.randomUUID()}])).length, 1);

		// Kept is what the codecs gave.
		await c.close();
		const plain = await db.stream("coded");
		same([plain.get(id).due, plain.get(id).price], ["2026-01-06T00:00:00.000Z", 6]);
		await plain.update(id, {due: "no date", size: "12"});
		await plain.close();
		const again = await db.stream("coded", {schema: {todo: { codecs }}});
		same([again.get(id).due, again.get(id).size], ["no date", 12n]); // what a codec cannot read is given as it is
		for (const [schema, path] of [[{todo: {codecs: {due: 5}}}, "/schema/todo/codecs/due"], [{todo: {shape: 5}}, "/schema/todo/shape"], [{todo: {fields: {}}}, "/schema/todo"], [5, "/schema"]]) {
			same(await fails(() => db.stream("x" + path.length, { schema })), ["invalid", path]);
		}
		return "ok"`)
}
