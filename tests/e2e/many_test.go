package e2e

import (
	"strings"
	"testing"
)

// Many objects in one call: few actions, one promise, and nothing at all where one of them is wrong.
func TestCreateMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`[2500,true,true,"2499",2500]`, `
		const calls = [];
		s.subscribe({type: "todo"}, (rows) => calls.push(rows.length));
		await 0;
		const rows = Array.from({length: 2500}, (_, n) => ({title: String(n), n, note: "Grüße"}));
		const write = s.create("todo", rows);
		const there = s.count({type: "todo"}); // at once
		const ids = await write;
		const index = await write.persisted;
		return [there, index === s.head, calls.join() === "0,2500", s.get(ids[2499]).title, new Set(ids).size]`)
	if n := strings.Count(s.log("lists/1"), `"seq":`); n != 3 {
		t.Errorf("2,500 objects are %d actions", n)
	}
	// What is wrong, and where; in the last action that it would have been.
	one.want(`[["invalid","/1200/note"],["invalid","/1200/a"],["invalid","/1200/id"],["too-large","/1200"],["invalid",""],["invalid","/1"]]`, `
		const wrong = async (bad, options) => {
			const rows = Array.from({length: 1201}, (_, n) => n === 1200 ? bad : ({n}));
			const e = await s.create("todo", options ? rows.slice(0, 2) : rows, options).catch((e) => e);
			return [e.code, e.path];
		};
		return [await wrong({note: () => 1}), await wrong({a: "\ud800"}), await wrong({id: "x"}), await wrong({note: "x".repeat(300000)}), await wrong({}, {id: crypto.randomUUID()}),
			await s.create("todo", [{}, 5]).catch((e) => [e.code, e.path])]`)
	one.want(`[2500,0,[],0]`, `return [s.count(), s.status.pending, await s.create("todo", []), s.rejected().length]`)
}

// Rows from elsewhere, under their ids: as few actions as they fit in, and nothing at all where one of them is wrong or there already.
func TestImport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`[true,2502,true,3]`, `
		await s.create("todo", Array.from({length: 2500}, (_, n) => ({title: String(n), n, note: "Grüße", list: [{a: n}]})));
		await s.create("other", JSON.parse('{"__proto__": 1, "7": "seven"}'));
		await s.create("todo", {title: "last"});
		window.to = await db.stream("lists/copy");
		const rows = s.query({orderBy: "id"});
		const write = to.import(rows);
		const there = to.count(); // at once
		const ids = await write;
		await write.persisted;
		window.same = () => JSON.stringify(to.query({orderBy: "id"})) === JSON.stringify(s.query({orderBy: "id"}));
		return [same(), there, ids.join() === rows.map((r) => r.id).join(), to.head]`)
	one.want(`[["exists","/1/id"],["exists","/1/id"],["invalid","/0/id"],["invalid","/0/id"],["invalid","/1/type"],["invalid","/1/a"],["invalid","/0"],["invalid",""],["too-large","/1"],2502]`, `
		const id = () => strandline.open && crypto.randomUUID(), there = to.query({limit: 1})[0], a = {id: id(), type: "todo", n: 1};
		const wrong = (rows) => to.import(rows).then(() => "done", (e) => [e.code, e.path]);
		return [await wrong([a, there]), await wrong([a, a]), await wrong([{type: "todo"}]), await wrong([{...a, id: a.id.toUpperCase()}]), await wrong([a, {id: id()}]), await wrong([a, {...a, id: id(), a: () => 1}]),
			await wrong([5]), await wrong("rows"), await wrong([a, {...a, id: id(), text: "x".repeat(300000)}]), to.count()]`)
	// Also in the window before the program.
	one.do(`window.more = [{id: crypto.randomUUID(), type: "todo", title: "early"}, to.query({limit: 1})[0]]; sessionStorage.more = JSON.stringify(more); await to.settled()`)
	one.shown()
	release := s.hold(false)
	one.reload()
	one.start(uncached(""))
	one.do(`
		const more = JSON.parse(sessionStorage.more);
		window.twice = s.import(more.slice(1)).then(() => "done", (e) => [e.code, e.path]);
		window.early = s.import(more.slice(0, 1));`)
	release()
	one.want(`[["exists","/0/id"],true,"early"]`, `const [id] = await early; return [await twice, id === JSON.parse(sessionStorage.more)[0].id, s.get(id).title]`)
}

// Many waiting writes to one object that another client changes: the core takes them back and applies them again over several tasks.
// Who reads or writes between two of them meets all of it.
func TestReadsInTheMiddleOfATurn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one, two := openBrowser(t, t.TempDir()).open(s.url), openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	two.start("")
	one.do(`window.id = await s.create("todo", {n: 0, k: 0}); await s.settled()`)
	one.offline(true)
	one.do(`
		for (let n = 0; n < 5000; n++) window.last = s.update(id, {n: strandline.increment(1)});
		await last`)
	two.do(`const [{id}] = s.query(); for (let m = 1; m <= 20; m++) await s.update(id, {m}); await s.settled()`)
	one.do(`
		const {port1, port2} = new MessageChannel();
		window.k = 0, window.whole = true, window.errors = [];
		window.done = new Promise((resolve) => port1.onmessage = () => {
			if (s.status.pending === 0) return resolve();
			whole &&= s.get(id).n === 5000 && s.get(id).k === k;
			if (k < 200 && navigator.onLine) {
				s.update(id, {k: ++k}).catch((e) => errors.push(e.code));
				whole &&= s.get(id).k === k && s.get(id).n === 5000;
			}
			if (Math.random() < 0.5) port2.postMessage(0);
			else setTimeout(() => port2.postMessage(0), 5);
		});
		port2.postMessage(0)`)
	one.offline(false)
	one.want(`[5000,20,true,0,""]`, `
		await done;
		return [s.get(id).n, s.get(id).m, whole, s.rejected().length, errors.join()]`)
	two.eventually(`5000`, `return s.query()[0].n`)
}
