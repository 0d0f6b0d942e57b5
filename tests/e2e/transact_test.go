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
