package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// How things end: every promise settles, whatever was called before it in the same tick, and nothing of one database
// reaches another.
func TestEndings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const local = `{server: undefined, log: () => {}}`
	const helpers = `
		const ends = (p) => Promise.resolve(p).then(() => "ok", (e) => e?.code ?? String(e)); // what hangs fails the test
		const other = await strandline.open({name: "other"});
		const alive = async () => { const st = await other.stream("x"); await st.create("t", {}); await other.destroy({force: true}); };
		const same = (a, b) => { if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(JSON.stringify(a) + " is not " + JSON.stringify(b)) };
	`
	for _, c := range []struct{ name, body string }{
		{"close twice", `same(await Promise.all([ends(db.close()), ends(db.close())]), ["ok", "ok"]); await alive();`},
		{"calls after close", `const c = db.close(); same(await Promise.all([ends(db.sync()), ends(db.stream("y")), ends(db.destroy()), ends(s.create("t", {})), ends(c)]), ["closed", "closed", "closed", "closed", "ok"]); await alive();`},
		{"settled when closed", `await s.create("t", {}); const p = s.settled().finally(() => db.close()); db.close(); same(await ends(p), "closed"); await alive();`},
		{"destroy twice", `same((await Promise.all([ends(db.destroy({force: true})), ends(db.destroy({force: true}))]))[0], "ok"); await alive();`},
		{"a stream that is closed and opened again", `
			await s.create("t", {}); s.create("t", {});
			const c = s.close(), c2 = s.close();
			const again = await db.stream("lists/1");
			await c; await c2;
			same([again === s, again.count()], [false, 2]);
			await again.create("t", {});
			same(again.count(), 3); await alive();`},
		{"a subscriber that ends another", `
			let stop, heard = 0;
			s.subscribe({}, () => stop?.());
			stop = s.subscribe({}, () => heard++);
			await s.create("t", {});
			await new Promise((r) => setTimeout(r, 20));
			same(heard, 0); await alive();`},
		{"a subscriber that ends itself", `
			let calls = 0;
			const end = s.subscribe({}, () => { calls++; end() }); // it is called when this has returned
			same(calls, 0);
			await s.create("t", {});
			await new Promise((r) => setTimeout(r, 20));
			same(calls, 1);
			const never = s.subscribe({}, () => calls++);
			never();
			await new Promise((r) => setTimeout(r, 20));
			same(calls, 1); await alive();`},
		{"the database's status tells of streams", `
			const seen = [];
			db.on("status", (e) => seen.push(Object.keys(e.streams).length));
			const y = await db.stream("y");
			await new Promise((r) => setTimeout(r));
			await y.close();
			await new Promise((r) => setTimeout(r));
			same([seen.includes(2), seen.at(-1)], [true, 1]); await alive();`},
		{"fields named as what every object has", `
			const id = await s.create("t", {constructor: 1, toString: "x", a: 1});
			await s.edit(id, (d) => { delete d.constructor; delete d.toString; d.valueOf = 5 });
			same(Object.keys(s.get(id)).sort(), ["a", "id", "type", "valueOf"]); await alive();`},
		{"a throw of nothing", `const w = s.edit(await s.create("t", {}), () => { throw undefined }); same([await ends(w), await ends(w.persisted)], ["undefined", "undefined"]); await alive();`},
		{"values that hide what they are", `
			const list = [1]; list.toJSON = () => "boo";
			same(await ends(s.create("t", {list})), "invalid");
			same(await ends(s.create("t", {a: "x".repeat(3e7)})), "too-large");
			const id = await s.create("t", {}, {id: "0b1ec700-0000-4000-8000-000000000001"});
			same(s.get("\u0130" + id.slice(1)), undefined); await alive();`},
		{"an exhausted stack ends the program, which is started again", `
			const id = await s.create("t", {a: 1});
			const f = () => { s.get(id); s.count({type: "t"}); f() };
			for (let i = 0; i < 5; i++) try { f() } catch {}
			let count; try { count = s.count({type: "t"}) } catch (e) { count = e.code }
			same([1, "restarted"].includes(count), true);
			same(["ok", "restarted"].includes(await ends(s.create("t", {}))), true);`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := b.open(s.url)
			tb.t = t
			tb.start(local)
			tb.want(`"ok"`, "%s", helpers+c.body+" return 'ok';")
			tb.goTo("about:blank")
			clean := b.open(s.url)
			clean.t = t
			clean.do(`for (const d of await indexedDB.databases()) await new Promise((r) => { const q = indexedDB.deleteDatabase(d.name); q.onsuccess = q.onerror = r })`)
		})
	}
}

// Names and users never run into each other, whatever they are made of.
func TestUsersAreApart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{server: undefined, name: "a", user: "b/c"}`)
	one.do(`await s.create("todo", {title: "mine"}); await db.close()`)
	one.start(`{server: undefined, name: "a/b", user: "c"}`)
	one.want(`0`, `return s.count()`)
	one.do(`await db.destroy({force: true})`)
	one.start(`{server: undefined, name: "a", user: "b/c"}`)
	one.want(`["mine"]`, `return titles()`)
}

// A program that ends before it is ready is an error of open, told once and tried anew.
func TestAProgramThatEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(webRoot, "ends.wasm"), "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.want(`["wasm","wasm","wasm",0]`, `
		let unhandled = 0;
		addEventListener("unhandledrejection", () => unhandled++);
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		const code = (wasm) => strandline.open({name: "e", wasm}).then(() => "opened", (e) => e.code);
		const codes = [await code("/ends.wasm"), await code("/ends.wasm"), await code(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))];
		await new Promise((r) => setTimeout(r, 100));
		return [...codes, unhandled]`)
}

// A timer longer than a browser can set is the longest that it can.
func TestHugeTimers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{timers: {idle: 1e13, retry: 1e300}}`)
	one.eventually(`"live"`, `return s.status.state`)
	s.mu.Lock()
	before := s.syncs
	s.mu.Unlock()
	one.do(`await new Promise((r) => setTimeout(r, 500))`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.syncs - before; n > 1 {
		t.Fatalf("%d requests in half a second with nothing to do", n)
	}
}

// What a newer version has written is told as that, not as a fault of the caller.
func TestALogOfNewerCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{server: undefined}`)
	one.do(`
		window.told = []; db.on("update", (e) => told.push(e));
		await s.create("t", {});
		const d = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
		const tx = d.transaction("records", "readwrite"), store = tx.objectStore("records");
		const bytes = await new Promise((r) => { const q = store.get(["lists/1", 1]); q.onsuccess = () => r(q.result) });
		bytes[0] = 99;
		store.add(bytes, ["lists/1", 2]);
		await new Promise((r) => tx.oncomplete = r);
		d.close();
		new BroadcastChannel("strandline/test/").postMessage(new TextEncoder().encode("mlists/1"));`)
	one.eventually(`["stopped","upgrade"]`, `return [s.status.state, s.status.reason]`)
	one.eventually(`[{"wasm":false,"database":true}]`, `return told`)
	one.want(`["SyncError","upgrade",1]`, `return await s.create("t", {}).then(() => "written", (e) => [e.name, e.code, s.count()])`)
}
