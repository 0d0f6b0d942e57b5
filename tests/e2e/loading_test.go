package e2e

import (
	"testing"
)

func TestWaysOfLoading(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	classic := b.open(s.url + "/classic.html")
	classic.start(`{server: undefined}`)
	classic.want(`1`, `await s.create("todo", {}); return s.count()`)
	classic.do(`await db.destroy({force: true})`)

	one := b.open(s.url)
	for _, source := range []string{
		`"/dist/strandline.wasm"`,
		`new URL("/dist/strandline.wasm", location.href)`,
		`await fetch("/dist/strandline.wasm")`,
		`await (await fetch("/dist/strandline.wasm")).arrayBuffer()`,
		`await WebAssembly.compileStreaming(fetch("/dist/strandline.wasm"))`,
	} {
		one.start(`{server: undefined, wasm: ` + source + `}`)
		one.want(`1`, `await s.create("todo", {}); return s.count()`)
		one.do(`await db.destroy({force: true})`)
	}
	strict := b.open(s.url + "/strict.html")
	strict.start("")
	strict.want(`1`, `await s.create("todo", {}); return s.count()`)
	strict.do(`await s.settled()`)
	if len(*strict.console) > 0 {
		t.Fatal(*strict.console)
	}
	one.want(`true`, `return window.strandline.open !== undefined && !Object.keys(globalThis).some((k) => k.startsWith("strandline-host"))`)
}

// A wasm that cannot be had is a typed error; the next call tries anew.
func TestAWasmThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	for _, source := range []string{`"/dist/nothing.wasm"`, `"/index.html"`, `new TextEncoder().encode("no wasm")`, `"http://127.0.0.1:1/x.wasm"`, `await fetch("/dist/nothing.wasm")`} {
		one.want(`["SyncError","wasm",true]`, `
			while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
			try { await strandline.open({name: "test", wasm: %s}); return "opened" }
			catch (e) { return [e.name, e.code, e.retryable && e instanceof strandline.SyncError] }`, source)
	}
	one.do(`await caches.keys(); window.real = fetch; window.fetch = () => Promise.reject(new TypeError("no network"))`)
	one.want(`"wasm"`, `return await strandline.open({name: "test"}).catch((e) => e.code)`)
	one.do(`window.fetch = real`)
	one.start("")
	one.want(`0`, `return s.count()`)
}

// The collector works in steps between the page's tasks; memory stays bounded all the same, within one long task and over many.
func TestMemoryStaysBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`
		const real = WebAssembly.instantiateStreaming;
		WebAssembly.instantiateStreaming = async (...args) => { const r = await real(...args); window.memory = r.instance.exports.mem; return r };`)
	one.start(`{server: undefined}`)
	one.want(`[true,true,true]`, `
		let last; for (let i = 0; i < 3000; i++) last = s.create("todo", {n: i, text: "x".repeat(100)});
		await last;
		const full = memory.buffer.byteLength;
		const garbage = (n) => { for (let i = 0; i < n; i++) s.query({where: {n: {gte: i}}, orderBy: "text", limit: 20000}) }; // most of 1 MB each
		garbage(80);
		const task = memory.buffer.byteLength;
		for (let i = 0; i < 80; i++) { garbage(1); await new Promise((r) => setTimeout(r)) }
		const tasks = memory.buffer.byteLength;
		return [full > 5e6, task < 3 * full, tasks < 3 * full]`)
}
