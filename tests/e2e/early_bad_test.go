package e2e

import "testing"

// A program that the page's policy forbids, or for which there is no room: rows stay readable, and what is written is refused with the reason.
func TestAProgramThatCannotRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`await s.create("todo", {title: "kept"}); await s.settled()`)
	one.shown()
	one.do(`await db.close()`)
	full := b.open(s.url + "/classic.html")
	one.goTo(s.url + "/blocked.html")
	full.do(`window.hog = []; try { for (;;) hog.push(new WebAssembly.Memory({initial: 1, maximum: 65536})) } catch (e) { window.limit = e.name }`)
	full.want(`"RangeError"`, `return limit`)
	const refused = `window.refused = s.create("todo", {title: "refused"}).then(() => "done", (e) => [e.code, e.message])`
	for _, tab := range []*tab{one, full} {
		tab.start(uncached(""))
		tab.want(`[["kept"],"starting"]`, `return [titles(), s.status.state]`)
		tab.do(refused)
	}
	one.want(`["wasm",true,["kept"]]`, `const [code, why] = await refused; return [code, /Content Security Policy|unsafe-eval|blocked|disallowed/i.test(why), titles()]`)
	full.want(`["wasm",true,["kept"]]`, `const [code, why] = await refused; return [code, /memory/i.test(why), titles()]`)
}

// A tab of a version that stores nothing of what is shown writes beside one that does: what it has left out is never passed over.
func TestATabThatStoresNoTexts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	now, old := b.open(s.url), b.open(s.url)
	now.start("")
	now.do(`window.id = await s.create("todo", {title: "first"}); await s.settled()`)
	now.shown()
	// In its records' transactions it puts nothing into meta, as versions before the rows.
	old.do(`
		const put = IDBObjectStore.prototype.put;
		IDBObjectStore.prototype.put = function (value, key) { return this.name === "meta" && typeof value === "string" ? this.get(key) : put.call(this, value, key) };
		const add = IDBObjectStore.prototype.add;
		IDBObjectStore.prototype.add = function (value, key) { return this.name === "meta" && typeof value === "string" ? this.get(key) : add.call(this, value, key) }`)
	old.start("")
	id := now.do(`return id`)
	old.do(`await s.update(%s, {title: "by the old one"}); await s.create("todo", {title: "its own"})`, id)
	now.eventually(`["by the old one","its own"]`, `return titles()`)
	now.do(`await s.update(%s, {n: 1})`, id) // a text that follows a gap
	release := s.hold(true)
	now.reload()
	now.do(`window.opening = (async () => { window.db = await strandline.open({name: "test", server: location.origin, ...%s}); window.s = await db.stream("lists/1"); return s.status.state })()`, uncached(""))
	release()
	now.do(`if (await opening === "starting" && s.get(%s).title !== "by the old one") throw new Error("it shows what was")`, id)
	now.do(`await s.ready; await s.settled()`)
	now.want(`["by the old one","its own"]`, `return s.query().map((r) => r.title).sort()`)
	now.want(`1`, `return s.get(%s).n`, id)
	old.do(`await db.close()`)
	now.shown() // the gap is closed
	now.reload()
	now.start("")
	now.want(`["by the old one","its own"]`, `return titles()`)
}

// Large rows, and many keys: what is stored beside a record stays small, and what is shown stays exact.
func TestLargeRowsBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{server: undefined}`)
	one.do(`
		window.beside = async () => { // how many bytes of texts stand beside records, and how many records there are
			const db = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
			const all = IDBKeyRange.bound(["lists/1", 0], ["lists/1", ""]), tx = db.transaction(["meta", "records"]);
			const texts = tx.objectStore("meta").getAll(all), records = tx.objectStore("records").getAll(all);
			await new Promise((r) => { tx.oncomplete = r });
			db.close();
			return [texts.result.reduce((n, t) => n + t.length, 0), records.result.reduce((n, r) => n + r.byteLength, 0), records.result.length];
		};
		window.large = await s.create("todo", {title: "large", n: 0, text: "x".repeat(200_000)});
		await Promise.all(Array.from({length: 9_900}, (_, n) => s.update(large, {n: n + 1})));
		for (let n = 9_900; n < 10_000; n++) await s.update(large, {n: n + 1});`)
	// Of a checkpoint's text, which holds the row once, and of the records' texts, which may not.
	one.want(`true`, `const [texts, bytes, records] = await beside(); return texts <= 4 * bytes + 4096 * records + 300_000 || [texts, bytes, records]`)
	one.do(`
		const keys = Object.fromEntries(Array.from({length: 15_000}, (_, n) => ["k" + n, n]));
		window.wide = await s.create("todo", {title: "wide", 7: "seven", ...keys});
		await s.update(wide, JSON.parse('{"__proto__": {"a": 1}, "-0": 1, "constructor": 2}'));
		await s.update(wide, Object.fromEntries(Array.from({length: 15_000}, (_, n) => ["l" + n, n])));
		window.list = await s.create("todo", {title: "list", tags: Array.from({length: 8_000}, (_, n) => "tag number " + n)});
		await s.update(list, {tags: strandline.union("tag number 5", "another")});
		await s.remove(await s.create("todo", {title: "gone", text: "x".repeat(200_000)}))`)
	const look = `const look = [large, wide, list].map((id) => s.get(id)); return [look[0].n, look[0].text.length, Object.keys(look[1]).length, Object.getOwnPropertyDescriptor(look[1], "__proto__")?.value, look[1][7], look[1].constructor, look[2].tags.length, s.count(), s.status.pending]`
	want := one.do(look)
	ids := one.do(`return [large, wide, list]`)
	for range 2 { // after the restart, and after what it has stored
		release := s.hold(true)
		one.reload()
		one.do(`window.opening = (async () => { window.db = await strandline.open({name: "test", ...%s}); window.s = await db.stream("lists/1") })()`, uncached(""))
		release()
		one.do(`await opening; [window.large, window.wide, window.list] = %s`, ids)
		one.want(want, look)
		one.do(`await s.ready`)
		one.want(want, look)
		one.do(`await s.create("todo", {title: "one more"}); await s.remove(s.query({where: {title: "one more"}})[0].id)`)
		want = one.do(look)
		one.do(`await db.close()`)
	}
}

// What a query's own functions do to its rows is seen by the next one.
func TestRowsThatChangeUnderAQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`await s.create("todo", Array.from({length: 50}, (_, n) => ({title: "t" + n, n})))`)
	one.want(`[50,100,50]`, `
		const rows = s.query({filter: (r) => { s.update(r.id, {n: r.n + 100}); s.create("todo", {title: "made", n: r.n}); return true }});
		return [rows.length, s.count(), s.query({where: {n: {gte: 100}}}).length]`)
	one.want(`true`, `
		let calls = 0;
		const end = s.subscribe({type: "todo", orderBy: "n"}, (rows) => { calls++; if (calls < 5) { s.remove(rows[0].id); s.query({limit: 3}); s.live({limit: 1}).current } });
		while (calls < 5) await new Promise((r) => setTimeout(r));
		end();
		return s.count() === 96`)
}

// A page's globals are its own: what libraries look for to find out where they run (process, fs) is not there, before or after a restart (J5).
func TestNothingIsLeftOnTheGlobal(t *testing.T) {
	t.Parallel()
	one := openBrowser(t, t.TempDir()).open(newSite(t).url + "/classic.html")
	one.do(spied)
	one.do(`window.before = new Set([...Reflect.ownKeys(globalThis), "before", "starting", "db", "s", "titles"])`)
	const added = `Reflect.ownKeys(globalThis).filter((k) => !before.has(k))`
	one.start(logging)
	one.want(`[["kept"],[]]`, `await s.create("todo", {title: "kept"}); return [titles(), `+added+`]`)
	one.do(`try { panic() } catch {}; while (!logged.some((l) => l.code === "restarted")) await new Promise((r) => setTimeout(r, 10))`)
	one.want(`["after","kept"]`, `while (s.count() < 2) await s.create("todo", {title: "after"}).catch(() => new Promise((r) => setTimeout(r, 20))); return titles()`)
	one.want(`[]`, `return `+added)
}
