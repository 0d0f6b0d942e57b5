package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// built reads a file of the package.
func built(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "js/dist", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// otherBuild is the wasm as another build would have stamped it.
func otherBuild(t *testing.T) []byte {
	t.Helper()
	wasm := built(t, "strandline.wasm")
	for _, m := range regexp.MustCompile(`"([0-9a-f]{16})"`).FindAllSubmatch(built(t, "strandline.js"), -1) {
		if bytes.Contains(wasm, m[1]) {
			return bytes.ReplaceAll(wasm, m[1], []byte("00000000000000ff"))
		}
	}
	t.Fatal("script and wasm share no stamp")
	return nil
}

// Old WebAssembly beside a new script: a cache is passed by, and what is really old is refused, before anything is read or written.
func TestScriptAndWasmOfTwoBuilds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	other := otherBuild(t)
	write(t, map[string]string{"other.wasm": string(other)})
	asked := 0
	s.setFaultAt("/cached.wasm", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		asked++
		w.Header().Set("Content-Type", "application/wasm")
		w.Header().Set("Cache-Control", "max-age=3600")
		if asked == 1 {
			w.Write(other)
		} else {
			w.Write(built(t, "strandline.wasm"))
		}
		return true
	})
	const opens = `
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		return await strandline.open({name: "test", wasm: %s}).then((db) => db.close().then(() => "opened"), (e) => [e.code, e.retryable])`
	one.want(`["upgrade",false]`, opens, `"/other.wasm"`)
	one.want(`["upgrade",false]`, opens, `await (await fetch("/other.wasm")).arrayBuffer()`)
	one.want(`0`, `return (await indexedDB.databases()).length`)
	one.want(`"opened"`, opens, `"/cached.wasm"`)
	if asked != 2 {
		t.Errorf("it was asked for %d times", asked)
	}
}

// A newer version in another tab, or as a service worker, is told once; both go on.
func TestANewerVersionBesideThisOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	next := strings.ReplaceAll(string(built(t, "strandline.js")), `"0.1.0"`, `"0.2.0"`)
	worker := strings.ReplaceAll(string(built(t, "strandline.sw.js")), `"0.1.0"`, `"0.10.0"`)
	if next == string(built(t, "strandline.js")) {
		t.Fatal("the script does not know its version")
	}
	wasm, err := filepath.Glob(filepath.Join(root, "js/dist/strandline.*.wasm"))
	if err != nil || len(wasm) != 1 {
		t.Fatal(wasm, err)
	}
	write(t, map[string]string{
		"next/strandline.js":             next,
		"next/strandline.sw.js":          worker,
		"next/" + filepath.Base(wasm[0]): string(built(t, filepath.Base(wasm[0]))),
		"next.html":                      page(`<script type="module">import * as strandline from "/next/strandline.js"; window.strandline = strandline;</script>`),
		"next-sw.js":                     `importScripts("/next/strandline.sw.js"); strandline.serviceWorker({name: "test", server: location.origin});`,
	})
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`window.told = []; db.on("update", (e) => told.push(e))`)
	two := b.open(s.url + "/next.html")
	two.start("")
	two.do(`window.told = []; db.on("update", (e) => told.push(e))`)
	one.eventually(`[{"wasm":true,"database":false}]`, `return told`)
	one.do(`await s.create("todo", {title: "old"})`)
	two.eventually(`["old"]`, `return titles()`)
	two.do(`await s.create("todo", {title: "new"}); await s.settled()`)
	one.eventually(`["new","old"]`, `return titles()`)
	two.want(`[]`, `return told`)
	// Who comes later than the newer one hears of it too.
	three := b.open(s.url)
	three.start("")
	three.do(`window.told = []; db.on("update", (e) => told.push(e))`)
	two.do(`await navigator.serviceWorker.register("/next-sw.js"); await navigator.serviceWorker.ready`)
	if got := b.serviceWorker().wake("sync", "strandline/test/"); got != `"quiet"` {
		t.Errorf("the new service worker says %s", got)
	}
	two.eventually(`[{"wasm":true,"database":false}]`, `return told`)
	three.eventually(`1`, `return told.length`)
	one.want(`1`, `return told.length`)
}

// What a newer version has made of the local database is refused, or read as far as it is known; nothing is written to it.
func TestANewerDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	const change = `
		const d = await new Promise((r, f) => { const q = indexedDB.open("strandline/test/"%s); q.onsuccess = () => r(q.result); q.onerror = () => f(q.error); q.onupgradeneeded = () => {} });
		const all = async () => JSON.stringify(await Promise.all(["records", "meta"].map((name) => new Promise((r) => { const q = d.transaction(name).objectStore(name).getAll(); q.onsuccess = () => r(q.result.map((v) => v.byteLength ?? v)) }))));
		%s
		d.close();`
	refused := func() {
		t.Helper()
		one.want(`["SyncError","upgrade",false]`, `return await strandline.open({name: "test", server: location.origin}).then(() => "opened", (e) => [e.name, e.code, e.retryable])`)
	}
	one.start(`{server: undefined}`)
	one.do(`await s.create("todo", {title: "a"}); await db.close()`)
	one.do(change, "", `const tx = d.transaction("meta", "readwrite"); tx.objectStore("meta").put(2, "format"); await new Promise((r) => tx.oncomplete = r); window.before = await all();`)
	refused()
	one.want(`true`, change+` return before === after`, "", `window.after = await all();`)
	one.do(change, "", `const tx = d.transaction("meta", "readwrite"); tx.objectStore("meta").put(1, "format"); await new Promise((r) => tx.oncomplete = r);`)
	one.start(`{server: undefined}`)
	one.want(`["a"]`, `return titles()`)
	one.do(`await db.close()`)
	one.do(change, ", 2", ``)
	refused()
}
