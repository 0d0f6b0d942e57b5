package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/patience"
)

// The same files run in a dedicated worker, classic or a module, beside the page: one database, one leader.
func TestDedicatedWorkers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`window.ask = (worker, title) => new Promise((r) => { worker.onmessage = (e) => r(e.data); worker.onerror = (e) => r(String(e.message)); worker.postMessage(title) })`)
	one.want(`[1,"ok",false]`, `return await ask(new Worker("/worker.js"), "classic")`)
	one.want(`[1,"ok",false]`, `return await ask(new Worker("/module-worker.js", {type: "module"}), "module")`)
	one.eventually(`["classic","module"]`, `return titles()`)
	one.eventually(`["classic","module"]`, `const d = await db.data("chat"); return (await d.read()).map((e) => e.value.title)`)
	patience.True(t, "one connection, of the actions and of the data streams", func() bool { return s.listeners() == 1 })
}

// withWorker opens a page that has a service worker.
func withWorker(s *site, b *browser, script, options string) *tab {
	tb := b.open(s.url)
	tb.do(`await navigator.serviceWorker.register(%q, %s); await navigator.serviceWorker.ready`, script, options)
	return tb
}

// serviceWorker attaches to the profile's service worker. It stays attached, as the developer tools do, until the test ends.
func (b *browser) serviceWorker() *tab {
	b.t.Helper()
	b.chromium("a look into the service worker")
	var id target.ID
	patience.True(b.t, "the service worker", func() bool {
		all, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, info := range all {
			if info.Type == "service_worker" {
				id = info.TargetID
			}
		}
		return id != ""
	})
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	b.t.Cleanup(func() {
		if b.process != nil {
			cancel()
		}
	})
	tb := &tab{t: b.t, ctx: ctx, console: new([]string)}
	if err := chromedp.Run(ctx, network.Enable()); err != nil {
		b.t.Fatalf("attach to the service worker: %v", err)
	}
	return tb
}

// wake makes an event in a service worker, as the browser does, and says what came of it.
func (tb *tab) wake(event, tag string) string {
	tb.t.Helper()
	return tb.do(`
		const e = new ExtendableEvent(%q), waits = [];
		if (%q) Object.defineProperty(e, "tag", {value: %[2]q});
		e.waitUntil = (p) => waits.push(p);
		dispatchEvent(e);
		return waits.length ? await Promise.all(waits).then(() => "quiet", (e) => e.code ?? String(e)) : "nothing"`, event, tag)
}

func (tb *tab) close() {
	tb.t.Helper()
	if tb.other != nil {
		tb.byItself("close the tab", tb.other.Close)
		return
	}
	if err := chromedp.Cancel(tb.ctx); err != nil {
		tb.t.Fatalf("close the tab: %v", err)
	}
}

// The page is closed with something unsent, while there is no network; when it is back, the browser wakes the service worker up, which sends it.
func TestTheServiceWorkerDelivers(t *testing.T) {
	// alone: where three tries in a row fail on a busy machine, Chromium waits for five minutes
	for _, c := range []struct{ script, options string }{{"/sw.js", "{}"}, {"/module-sw.js", `{type: "module"}`}} {
		t.Run(c.script, func(t *testing.T) {
			s := newSite(t)
			b := openBrowser(t, t.TempDir())
			b.t = t
			one := withWorker(s, b, c.script, c.options)
			worker := b.serviceWorker()
			one.start("")
			one.do(`window.d = await db.data("chat"); await d.append("before"); await d.settled(); await s.create("todo", {title: "before"}); await s.settled()`)
			one.want(`[true,true]`, `const h = await db.health(); return [h.backgroundSync, h.serviceWorker]`)
			// Wake-ups are kept in the database: who, of which stream, and what the server said.
			const kept = `
				const idb = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
				const turns = await new Promise((r) => { const q = idb.transaction("meta").objectStore("meta").getAll(IDBKeyRange.bound([""], ["", []])); q.onsuccess = () => r(q.result) });
				idb.close();
				const of = (tab) => turns.filter((turn) => turn.tab === tab && turn.streams === "lists/1" && turn.status === 200 && turn.bytes > 100);
				return [of("a worker").length > 0, of("test").some((turn) => turn.persisted > 0)]`
			one.eventually(`[false,true]`, kept)
			s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
				hangUp(w)
				return true
			})
			worker.offline(true)
			one.offline(true)
			one.do(`await s.create("todo", {title: "unsent"}); await d.append("unsent")`)
			one.eventually(`["strandline/test/"]`, `return await (await navigator.serviceWorker.ready).sync.getTags()`)
			one.eventually(`[1,1]`, `return [s.status.pending, d.status.pending]`)
			one.close()
			s.setFault(nil) // not before: a tab that is closing is not held offline any more
			worker.offline(false)
			began := time.Now()
			patience.True(t, "the service worker to deliver", func() bool {
				return strings.Contains(s.log("lists/1"), `"title":"unsent"`) && strings.Contains(s.get("/v1/data/chat"), "unsent")
			})
			t.Logf("delivered %v after the network was back", time.Since(began).Round(time.Millisecond))
			two := b.open(s.url)
			two.start("")
			two.want(`[["before","unsent"],0]`, `await db.sync(); return [titles(), s.pending().length]`)
			two.eventually(`[true,true]`, kept) // the worker's, too, once it has closed, and those of the page that is gone
			if n := strings.Count(s.log("lists/1"), `"title":"unsent"`); n != 1 {
				t.Errorf("it is in the log %d times", n)
			}
		})
	}
}

// The browser forgets a wake-up that it has given: for what is unsent after that it is asked again, however soon it comes.
func TestTheServiceWorkerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := withWorker(s, b, "/sw.js", "{}")
	worker := b.serviceWorker()
	one.start("")
	one.do(`await s.settled()`)
	const tags = `return await (await navigator.serviceWorker.ready).sync.getTags()`
	for i := range 3 {
		s.setFaultAt("", func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
		worker.offline(true)
		one.do(`await s.create("todo", {title: "%d"})`, i)
		one.eventually(`["strandline/test/"]`, tags)
		s.setFaultAt("", nil)
		one.do(`await db.sync(); await s.settled()`)
		worker.offline(false)
		one.eventually(`[]`, tags)
	}
}

// A page that is closed 50 ms after its first unsent write leaves a wake-up behind, each time (F18, F19).
func TestAPageThatIsClosedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := withWorker(s, b, "/sw.js", "{}")
	worker := b.serviceWorker()
	const tags = `return await (await navigator.serviceWorker.ready).sync.getTags()`
	for i := range 10 {
		one.start(`{timers: {retry: 60000, idle: 60000}}`)
		one.do(`await s.ready; await s.settled(); await db.sync()`)
		worker.offline(true)
		if i%2 == 0 {
			one.offline(true) // the browser knows it
		} else { // or only the server is away
			s.setFaultAt("", func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
		}
		one.do(`await s.create("todo", {title: "%d"}); await new Promise((r) => setTimeout(r, 50))`, i)
		one.goTo("about:blank")
		one.offline(false)
		one.goTo(s.url)
		one.eventually(`["strandline/test/"]`, tags)
		s.setFaultAt("", nil)
		worker.offline(false)
		one.start("")
		one.do(`await s.ready; await db.sync(); await s.settled()`)
		one.eventually(`[]`, tags)
		one.reload()
	}
}

// Wake-ups of all kinds, with and without tabs, and a service worker that is stopped in the middle: nothing is doubled, and the browser hears where something is left.
func TestWakeUpsOfTheServiceWorker(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := withWorker(s, b, "/sw.js", "{}")
	worker := b.serviceWorker()
	one.start(`{timers: {idle: 60000, retry: 60000}}`)
	one.do(`await s.settled()`)
	s.setFault(func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		resp := forward() // the server does it, and nobody hears
		if resp != nil {
			resp.Body.Close()
		}
		hangUp(w)
		return true
	})
	one.do(`await s.create("todo", {title: "once"})`)
	patience.True(t, "the append", func() bool { return strings.Contains(s.log("lists/1"), "once") })
	if got := worker.wake("sync", "strandline/test/"); got != `"unreachable"` {
		t.Errorf("a wake-up that fails says %s", got)
	}
	// A network that is just back fails once more: within the wake-up it is tried again.
	var failed atomic.Bool
	s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
		if failed.Swap(true) {
			return false
		}
		hangUp(w)
		return true
	})
	if got := worker.wake("sync", "strandline/test/"); got != `"quiet"` || !failed.Load() {
		t.Errorf("a wake-up that fails once says %s", got)
	}
	s.setFault(nil)
	for _, event := range []string{"sync", "periodicsync", "push"} {
		if got := worker.wake(event, map[string]string{"sync": "strandline/test/", "periodicsync": "strandline"}[event]); got != `"quiet"` {
			t.Errorf("%s says %s", event, got)
		}
		if event == "sync" {
			one.eventually(`0`, `return s.pending().length`) // it is told what the worker has found
		}
	}
	if n := strings.Count(s.log("lists/1"), "once"); n != 1 {
		t.Errorf("it is in the log %d times", n)
	}
	if got := worker.wake("sync", "of the app"); got != `"nothing"` {
		t.Errorf("somebody else's wake-up says %s", got)
	}
	// Stopped in the middle of a request.
	hung := make(chan bool, 10)
	s.setFault(func(_ http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		if resp := forward(); resp != nil {
			resp.Body.Close()
		}
		hung <- true
		<-r.Context().Done()
		return true
	})
	one.offline(true)
	one.do(`await s.create("todo", {title: "twice?"})`)
	worker.do(`setTimeout(() => dispatchEvent(Object.assign(new ExtendableEvent("push"), {waitUntil() {}})))`)
	<-hung
	one.run("stop", serviceworker.Enable(), serviceworker.StopAllWorkers())
	s.setFault(nil)
	one.offline(false)
	one.do(`await db.sync(); await s.settled()`)
	if n := strings.Count(s.log("lists/1"), "twice?"); n != 1 {
		t.Errorf("it is in the log %d times", n)
	}
	one.want(`["once","twice?"]`, `return titles()`)
}
