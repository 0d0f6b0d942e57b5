package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// The end of a database while its program dies: close resolves, destroy destroys, and nobody takes it for a loss later (J23).
func TestTheEndWhileTheProgramDies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(spied)
	one.start(logging)
	one.do(`await s.create("todo", {title: "kept"}); await s.settled()`)
	one.want(`["closed","closed"]`, `
		const closing = [db.close(), s.close()];
		panic();
		await Promise.all(closing);
		return [(await db.closed).code, (await s.closed).code]`)
	one.start(logging)
	one.eventually(`["kept"]`, `return titles()`)
	one.want(`["closed",false]`, `
		const ending = db.destroy({force: true});
		await Promise.resolve();
		panic();
		await ending;
		return [(await db.closed).code, (await indexedDB.databases()).some(({name}) => name === "strandline/test/")]`)
	one.reload()
	one.do(spied)
	one.start(logging)
	one.want(`[null,[]]`, `return [(await db.health()).loss, logged.filter(({code}) => code === "lost")]`)
}

// What is moved between records of IndexedDB is bytes: a Blob that was read out of one is stored in none (E1: WebKit loses it).
func TestBlobsAreStoredAsCopies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", `{contentType: "application/octet-stream"}`)
	one.do(`
		window.stored = new WeakSet(), window.foreign = 0, window.puts = 0;
		const blobs = (value) => value instanceof Blob ? [value] : typeof value === "object" && value !== null && !ArrayBuffer.isView(value) ? Object.values(value).flatMap(blobs) : [];
		const put = IDBObjectStore.prototype.put, result = Object.getOwnPropertyDescriptor(IDBRequest.prototype, "result").get;
		IDBObjectStore.prototype.put = function (value, ...rest) {
			for (const blob of blobs(value)) { puts++; if (stored.has(blob)) foreign++ }
			return put.call(this, value, ...rest);
		};
		Object.defineProperty(IDBRequest.prototype, "result", {configurable: true, get() {
			const value = result.call(this);
			for (const blob of Array.isArray(value) ? value.flatMap(blobs) : blobs(value)) stored.add(blob);
			return value;
		}});
		window.mine = new Blob([new Uint8Array(3 << 20)])`)
	one.do(`await d.append(mine).persisted; await d.settled()`)
	one.eventually(`[3145728]`, `return (await d.read()).map((e) => e.value.byteLength ?? e.value.size)`)
	// From the queue to the list of what was refused, and back.
	s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/data/") {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		w.Write([]byte(`{"code":"too-large","status":413}`))
		return true
	})
	one.want(`"too-large"`, `return await d.append(new Blob([new Uint8Array(2 << 20)])).persisted.catch((e) => e.code)`)
	s.setFault(nil)
	one.do(`await d.retry(d.rejected()[0].id); await d.settled()`)
	one.eventually(`[3145728,2097152]`, `return (await d.read()).map((e) => e.value.byteLength ?? e.value.size)`)
	one.want(`[true,0]`, `return [puts > 2, foreign]`)
}

// A page that goes gives its connection for hints back, also where it may not come back (E3: Firefox keeps it for as long as the tab is there).
func TestAPageThatGoesGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`await s.create("todo", {title: "a"}); await s.settled()`)
	patience.True(t, "a connection for hints", func() bool { return s.listeners() == 1 })
	one.do(`window.began = 0; const real = fetch; window.fetch = (...args) => { began++; return real(...args) }; dispatchEvent(new PageTransitionEvent("pagehide", {persisted: false}))`)
	patience.True(t, "the connection to end", func() bool { return s.listeners() == 0 })
	one.want(`0`, `return began`) // and no other one is begun by a page that goes
}

// That a stream is there is known from success only: a refusal, which may come from before the server has looked, makes none "gone" (F3).
func TestARefusalIsNoProofThatAStreamIsThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", "")
	s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/data/") {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"code":"malformed","status":400}`))
		return true
	})
	one.want(`"malformed"`, `return await d.append("refused").persisted.catch((e) => e.code)`)
	s.setFault(nil)
	one.do(`await d.append("kept").persisted`)
	one.want(`["kept"]`, `return (await d.read()).map((e) => e.value)`)
}

// How far a large entry is is told in every tab: in its author's, where another one sends it, and in the one that sends it (J11).
func TestProgressIsToldInEveryTab(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	for _, tb := range []*tab{one, two} {
		tb.startData("", `{contentType: "application/octet-stream"}`)
		tb.do(`window.told = []; d.on("progress", ({sent, size}) => told.push(sent / size)); d.live.progress.subscribe(() => {})`)
	}
	one.eventually(`true`, `return db.status.leader`)
	two.do(`await d.append(new Blob([new Uint8Array(5 << 20)])).persisted`)
	for _, tb := range []*tab{one, two} {
		tb.eventually(`[true,true]`, `return [told.length > 0, told.every((part) => part > 0 && part <= 1)]`)
	}
}
