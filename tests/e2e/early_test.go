package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

const wasmPath = "/dist/strandline.wasm"

// uncached is an option that has the program come from the server.
func uncached(also string) string {
	return fmt.Sprintf(`{wasm: "%s?%d"%s}`, wasmPath, serial.Add(1), also)
}

var serial atomic.Int64

// hold keeps requests for the program until it is let go; where it is silent, the server takes nothing meanwhile.
func (s *site) hold(silent bool) (release func()) {
	held := make(chan struct{})
	s.setFaultAt("*", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		switch {
		case r.URL.Path == wasmPath && r.URL.RawQuery != "":
			select {
			case <-held:
			case <-r.Context().Done():
			}
		case r.URL.Path == "/v1/sync" && silent:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	return func() { close(held); s.setFault(nil) }
}

// shown waits until what is shown is stored at each record.
func (tb *tab) shown() {
	tb.t.Helper()
	tb.eventually(`true`, `
		const db = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
		const tx = db.transaction(["records", "meta"]), all = IDBKeyRange.bound(["lists/1", 0], ["lists/1", ""]);
		const records = tx.objectStore("records").getAllKeys(all), shown = tx.objectStore("meta").getAllKeys(all);
		await new Promise((r) => { tx.oncomplete = r });
		db.close();
		return JSON.stringify(records.result) === JSON.stringify(shown.result)`)
}

// What is stored is shown before there is a program; what is written meanwhile waits for it, in order.
func TestRowsBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`
		await s.create("todo", Array.from({length: 300}, (_, n) => ({title: "t" + n, n, tags: ["a", {deep: n}]})));
		await s.settled();
		window.strange = await s.create("todo", {title: "strange", "__proto__ ": 1, 7: "number-like", "ä🙂": "\u0000\n\"\\"});
		await s.remove(s.query({where: {n: 5}})[0].id);
		await s.settled()`)
	one.offline(true)
	one.do(`
		await s.create("todo", {title: "pending"});
		await s.update(s.query({where: {n: 7}})[0].id, {n: 77});
		await s.remove(s.query({where: {n: 8}})[0].id)`)
	one.shown()
	const look = `[s.query({orderBy: "id"}), s.head, s.status.pending, s.status.rejected, s.count({pending: true}), s.count(), s.client, s.query().filter((r) => s.isPending(r.id)).length]`
	want := one.do(`return ` + look)
	release := s.hold(true)
	one.offline(false)
	one.reload()
	one.start(uncached(""))
	one.want(want, `return `+look)
	one.want(`["starting",null,null,null,"yes","missing",true,[]]`, `
		window.rows = s.query({orderBy: "id"});
		return [s.status.state, s.pending(), s.rejected(), s.conflicts(), s.writable(rows[0].id), s.writable("nope"), Object.isFrozen(rows[0]), db.trace()]`)
	one.do(`
		window.heard = [], window.order = [];
		s.subscribe({where: {title: {startsWith: "early"}}}, (rows) => heard.push(rows.map((r) => r.title)));
		const then = (name, w) => { order.push([name, w.object.length]); w.then(() => order.push(name), (e) => order.push([name, e.code, e.path])); return w };
		window.first = then("create", s.create("todo", {title: "early"}));
		then("update", s.update(first.object, {title: "early, changed"}));
		then("edit", s.edit(first.object, (d) => { d.title += " twice" }));
		then("transact", s.transact((tx) => { tx.update(first.object, {n: 1}); tx.create("todo", {title: "early too"}) }));
		then("many", s.create("todo", [{title: "early 1"}, {title: "early 2"}])).then((ids) => window.ids = ids);
		then("nothing", s.update(first.object, {}));
		then("bad", s.create(5, {title: "bad"}));
		then("missing", s.update("01890000-0000-7000-8000-000000000000", {n: 1}));
		then("undo", s.undo());
		window.settled = s.settled().then(() => order.push("settled"));
		window.ready = s.ready.then(() => order.push("ready"));`)
	one.want(`[300,[[]],true]`, `return [s.count(), heard, s.status.pending > 8]`) // none of them shows
	release()
	one.do(`await ready; await first`)
	one.eventually(`["early too","early, changed twice"]`, `return titles().filter((t) => t.startsWith("early"))`) // the creation of many is undone
	one.want(`true`, `return rows.every((r) => s.get(r.id) === r)`)                                                // the same rows: they were not fetched again
	one.want(`["create","update","edit","transact","many","undo"]`, `
		await settled;
		const made = ["create", "update", "edit", "transact", "many", "undo"];
		return made.every((m) => order.indexOf(m) > order.indexOf("ready")) ? made.filter((m) => order.includes(m)) : order`)
	one.want(`[["bad","invalid",""],["missing","not-found",null]]`, `return order.filter((o) => o.length === 3).map(([n, c, p]) => [n, c, p ?? null])`)
	one.want(`[2,true]`, `return [ids.length, first.object === await first && first.action.length === 36 && await first.persisted > 0]`)
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.start("")
	other.eventually(one.do(`await s.settled(); return titles()`), `return titles()`)
}

// A program that does not come leaves rows readable; what is written is refused in time, and not made later.
func TestAProgramThatDoesNotCome(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`await s.create("todo", {title: "kept"}); await s.settled(); const other = await db.stream("lists/2"); await other.create("todo", {}); await other.settled()`)
	one.shown()
	var missing atomic.Bool
	missing.Store(true)
	s.setFaultAt(wasmPath, func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
		if missing.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
		return missing.Load()
	})
	one.reload()
	one.start(uncached(`, log: (e) => (window.told ??= []).push(e.code)`))
	one.want(`[["kept"],"starting"]`, `return [titles(), s.status.state]`)
	one.want(`["wasm","wasm","wasm",["kept"]]`, `
		const code = (p) => p.then(() => "done", (e) => e.code);
		return [...await Promise.all([code(s.create("todo", {title: "refused"})), code(s.ready), code(db.sync())]), titles()]`)
	one.want(`["wasm","wasm","wasm","wasm","wasm","wasm"]`, `
		const code = (p) => p.then(() => "done", (e) => e.code);
		const late = await db.stream("lists/2");
		return [await code(late.create("todo", {})), await code(late.ready), await code(s.update(s.query()[0].id, {n: 1})), await code(db.stream("another")), s.status.error.code, told[0]]`)
	missing.Store(false)
	one.do(`while (s.status.state === "starting") await new Promise((r) => setTimeout(r, 100)); await s.ready`)
	one.want(`["again","kept"]`, `await s.create("todo", {title: "again"}); return titles()`)
	one.do(`await db.sync(); await db.stream("another")`)
}

// Another tab goes on while this one has no program yet: it writes, takes a checkpoint, and the write that was made upon older rows is
// reported as what it is.
func TestAnotherTabBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url+"/empty.html")
	one.start("")
	one.do(`window.id = await s.create("todo", {title: "both"}); await s.settled()`)
	one.shown()
	id := one.do(`return id`)
	two.goTo(s.url)
	release := s.hold(false)
	two.reload()
	two.start(uncached(""))
	two.want(`["both"]`, `return titles()`)
	two.do(`window.id = %s; window.late = s.update(id, {title: "late"})`, id)
	far := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	release()
	two.do(`await late; await s.settled()`)
	one.eventually(`["late"]`, `return titles()`)

	// A third client's write comes to the first tab, and is in the local log, before the second tab's program is there.
	far.goTo(s.url)
	far.start("")
	far.do(`await s.settled()`)
	far.eventually(`["late"]`, `return titles()`)
	two.shown()
	release = s.hold(false)
	two.reload()
	two.start(uncached(""))
	two.do(`
		window.id = %s;
		window.guarded = s.transact((tx) => { tx.require({object: id, unchanged: true}); tx.update(id, {n: 1}) }).then(() => "done", (e) => e.code);
		window.late = s.update(id, {title: "unseen"});
		window.again = await db.stream("lists/1", {schema: {todo: {"~standard": {version: 1, vendor: "test", validate: (v) => typeof v.title === "string" ? {value: v} : {issues: [{message: "no title"}]}}}}});
		const made = s.create("todo", {title: "made here"});
		window.invalid = s.update(made.object, {title: 5}).then(() => "done", (e) => e.code);
		window.removed = made.then((id) => s.remove(id));`, id)
	far.do(`await s.update(%s, {title: "theirs"}); await s.settled()`, id)
	one.eventually(`["theirs"]`, `return titles()`)
	one.do(`for (let i = 0; i < 30; i++) await s.create("todo", {title: "x" + i, big: "x".repeat(20000)}); await s.settled()`) // checkpoints
	two.want(`["late"]`, `return titles()`)
	release()
	two.do(`await late; await s.settled()`)
	two.want(`["conflict","invalid"]`, `await removed; await s.settled(); return [await guarded, await invalid]`)
	two.want(`[31,"unseen"]`, `return [s.count(), s.get(id).title]`)
	two.eventually(`[["overwrote","theirs","unseen"]]`, `return s.conflicts().filter((c) => c.object === id).map((c) => [c.kind, c.theirs, c.mine])`)
}

// Texts that somebody has changed: what is no JSON is not shown; what is, is found out, replaced, and written anew.
func TestChangedRows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`
		window.change = async (kind, from, to) => { // kind of key: [stream, number] or [stream, [page]]
			const db = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
			const tx = db.transaction("meta", "readwrite"), store = tx.objectStore("meta");
			let n = 0;
			await new Promise((r) => { const q = store.openCursor(); q.onsuccess = () => {
				const c = q.result;
				if (!c) return r();
				if (Array.isArray(c.key) && c.key.length > 1 && (kind === "page") === Array.isArray(c.key[1]) && typeof c.value === "string" && c.value.includes(from)) { n++; c.update(c.value.replace(from, to)) }
				c.continue();
			} });
			await new Promise((r) => { tx.oncomplete = r });
			db.close();
			return n;
		};
		window.pages = async () => (await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => { const s = q.result.transaction("meta").objectStore("meta").getAllKeys();
			s.onsuccess = () => { q.result.close(); r(s.result.filter((k) => Array.isArray(k[1]) && k[0] === "lists/1").length) } } }))`)
	rows := one.do(`
		for (let n = 0; await pages() < 2; n += 300) { // checkpoints
			await s.create("todo", Array.from({length: 300}, (_, i) => ({title: "t" + (n + i), n: n + i, text: "x".repeat(400)})));
			await s.settled();
			await new Promise((r) => setTimeout(r, 200));
		}
		return s.count()`)
	count, _ := strconv.Atoi(rows)
	define := one.do(`return [String(change), String(pages)]`)
	s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	one.do(`await s.create("todo", {title: "after", n: -1})`)
	again := func() {
		t.Helper()
		one.reload()
		one.start(`{log: (e) => (window.told ??= []).push(e.code)}`)
		one.do(`const [c, p] = %s; window.change = eval("(" + c + ")"); window.pages = eval("(" + p + ")")`, define)
	}
	again()
	one.want(fmt.Sprintf(`["starting",%d]`, count+1), `return [s.status.state, s.count()]`)
	one.do(`await s.ready; await new Promise((r) => setTimeout(r, 1500)); await db.close()`)
	one.want(`null`, `return window.told ?? null`) // compared, and found to be right
	for _, c := range []struct{ kind, from, to, at string }{
		{"page", `"n":17,`, `"n":18,`, `s.query({where: {title: "t17"}})[0].n`},
		{"record", `"n":-1`, `"n":-2`, `s.query({where: {title: "after"}})[0].n`},
	} {
		want := map[string]string{"page": "17", "record": "-1"}[c.kind]
		one.want(`1`, `return await change(%q, %q, %q)`, c.kind, c.from, c.to)
		one.reload()
		one.do(`globalThis.unchecked = true`)
		one.start(`{log: (e) => (window.told ??= []).push(e.code)}`)
		one.do(`const [c, p] = %s; window.change = eval("(" + c + ")"); window.pages = eval("(" + p + ")"); await s.ready`, define)
		one.eventually(fmt.Sprintf(`[%s,["corrupt"],"differed"]`, want), `return [%s, window.told ?? [], (await db.health()).rows]`, c.at)
		one.do(`globalThis.unchecked = false; await s.create("todo", {title: "one more"}); await db.close()`)
	}
	one.want(`true`, `return await change("record", "{", "{,") > 0`)
	again()
	one.want(fmt.Sprint(count+3), `return s.count()`)
}

// testdata/before-rows.json.gz is what IndexedDB held of a stream when a version had written it that stored no rows (8bebf89): a checkpoint of 700
// objects, records, three pending actions; and what that version showed.
func TestADatabaseOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	packed, err := os.ReadFile("testdata/before-rows.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	one.do(`
		const packed = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const { stores } = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
		const db = await new Promise((r) => { const q = indexedDB.open("strandline/test/", 1);
			q.onupgradeneeded = () => { for (const name of Object.keys(stores)) q.result.createObjectStore(name) };
			q.onsuccess = () => r(q.result) });
		const tx = db.transaction(Object.keys(stores), "readwrite");
		for (const [name, list] of Object.entries(stores)) for (const [key, { b, v }] of list) tx.objectStore(name).put(b === undefined ? v : Uint8Array.from(atob(b), (c) => c.charCodeAt(0)), key);
		await new Promise((r) => { tx.oncomplete = r });
		db.close();
		localStorage.setItem("strandline/test/", JSON.stringify({ life: stores.meta.find(([k]) => k === "life")[1].v, unsent: {} }))`, base64.StdEncoding.EncodeToString(packed))
	var held struct {
		Rows    json.RawMessage
		Head    int
		Pending int
		Client  string
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(unpacked).Decode(&held)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`[%s,%d,%d,%q]`, held.Rows, held.Head, held.Pending, held.Client)
	const look = `[s.query({orderBy: "id"}), s.head, s.status.pending, s.client]`
	one.goTo(s.url)
	one.start(`{server: undefined}`)
	one.want(`"offline"`, `return s.status.state`) // it has waited for the program
	one.want(want, `return `+look)
	one.shown() // a checkpoint
	one.reload()
	one.start(`{server: undefined}`)
	one.want(`"starting"`, `return s.status.state`)
	one.want(want, `return `+look)
	one.do(`await s.ready`)
	one.want(want, `return `+look)
}
