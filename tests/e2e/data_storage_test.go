package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/patience"
)

// Where the browser keeps nothing data streams work all the same: an append is kept when the server has it.
func TestDataStreamsWhereTheBrowserKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	for _, c := range []struct{ name, how string }{
		{"no IndexedDB", `Object.defineProperty(window, "indexedDB", {value: undefined})`},
		{"open throws", `IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError") }`},
		{"open hangs", `failOpen("hang")`},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := b.open(s.url)
			one.t = t
			one.do(`localStorage.clear(); %s`, failing+c.how)
			one.startData(`{log: () => {}}`, "")
			one.do(`window.shown = []; d.subscribe((all) => shown.push(all.map((e) => e.pending)))`)
			one.offline(true)
			one.do(`
				window.saved = [];
				window.w = d.append({of: %q});
				const large = d.append({of: %q, text: "x".repeat(100_000)});
				w.then(() => saved.push(1));
				large.then(() => saved.push(2));
				await new Promise((r) => setTimeout(r, 300))`, c.name, c.name)
			one.want(`[[],2,true]`, `return [saved, d.status.pending, (await d.read()).at(-2).value.of === %q]`, c.name)
			one.offline(false)
			one.want(`"number"`, `await w; return typeof await w.persisted`)
			one.do(`await d.settled()`)
			one.eventually(`[[1,2],0,false]`, `return [saved, d.status.pending, (await d.read()).some((e) => e.pending)]`)
			one.eventually(`true`, `return shown.at(-1).length === (await d.read()).length && shown.at(-1).every((pending) => !pending)`)
			one.do(`await db.close()`)
			one.goTo("about:blank")
			if n := strings.Count(s.entries("log/1"), `"`+c.name+`"`); n != 2 {
				t.Errorf("the server has %d entries of the 2", n)
			}
		})
	}
}

// A database that is taken away while it is open: what was appended since the page was loaded is sent from memory, once.
func TestDataStreamsThatAreTakenAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, how string }{
		{"with the actions", `window.s = await db.stream("lists/1"); await s.create("todo", {title: "x"}); await s.settled()`},
		{"alone", ``},
	} {
		for _, reached := range []bool{false, true} { // the server has what nobody has heard that it has
			name := c.name
			if reached {
				name += ", an answer lost"
			}
			t.Run(name, func(t *testing.T) {
				s := newSite(t)
				one := openBrowser(t, t.TempDir()).open(s.url)
				one.startData(`{log: () => {}}`, "")
				one.do(`%s`, c.how+`; `+told)
				one.do(`await d.append("sent").persisted`)
				var down, appended atomic.Bool
				down.Store(true)
				s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
					if !down.Load() {
						return false
					}
					if reached && r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/data/") && !appended.Swap(true) {
						if resp := forward(); resp != nil {
							resp.Body.Close()
						}
					}
					hangUp(w)
					return true
				})
				one.do(`window.kept = [d.append("kept"), d.append("kept too")]; await Promise.all(kept)`)
				if reached {
					patience.True(t, "the server to have it", appended.Load)
				}
				one.clearIndexedDB(s.url)
				if c.how != "" {
					one.do(`s.create("todo", {title: "late"}).catch(() => {}); return 0`)
					one.eventually(`1`, `return told.length`)
				}
				one.do(`window.saved = false; window.late = d.append("late"); late.then(() => saved = true, (e) => saved = e.code); return 0`)
				one.eventually(`3`, `return d.status.pending`)
				one.want(`false`, `return saved`)
				down.Store(false)
				one.do(`await late; for (const w of kept) await w.persisted; await d.settled()`)
				one.eventually(`["sent","kept","kept too","late"]`, `return values()`)
				if got := s.entries("log/1"); got != `["sent","kept","kept too","late"]` {
					t.Errorf("the server has %s", got)
				}
				one.reload()
				one.startData("", "")
				one.eventually(`["sent","kept","kept too","late"]`, `return values()`)
				one.do(`await d.append("after").persisted`)
			})
		}
	}
}

// A server that is away takes nothing away here: what is appended is kept at once, and after a reload.
func TestDataStreamsOutliveTheServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`window.logged = []`)
	one.startData(`{log: (e) => logged.push(e.code)}`, "")
	one.do(`window.s = await db.stream("lists/1"); await d.append("sent").persisted; await s.settled()`)
	s.send("POST", "log/1", "application/json", `"pushed"`)
	one.eventually(`["sent","pushed"]`, `return values()`) // the connection for hints is there
	var tries atomic.Int64
	s.setFaultAt("", func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
		tries.Add(1)
		hangUp(w)
		return true
	})
	s.kill()
	one.eventually(`true`, `return d.status.state === "waiting" || d.status.state === "offline"`)
	before := tries.Load()
	patience.True(t, "five tries more", func() bool { return tries.Load() >= before+5 })
	one.want(`[false,["sent","pushed","kept"],"ok"]`, `await d.append("kept"); return [logged.includes("lost"), (await values()).flat(), (await db.health()).indexedDB]`)
	s.setFault(nil)
	s.start()
	one.reload()
	one.startData("", "")
	one.eventually(`["sent","pushed","kept"]`, `return values()`)
}

// The data streams' database is deleted under two tabs, and one of them makes it anew before the other looks: that one has its own entries all the same.
func TestDataStreamsMadeAnewByAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	for _, tb := range []*tab{one, two} {
		tb.startData(`{log: () => {}}`, "")
	}
	one.do(`await d.append("sent").persisted`)
	s.setFaultAt("/v1/data/log/1", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
	one.do(`window.kept = d.append("kept"); await kept`)
	two.do(`await db.close()`)
	one.do(`await new Promise((resolve, reject) => { const r = indexedDB.deleteDatabase("strandline/test//data"); r.onsuccess = resolve; r.onerror = reject })`)
	two.startData(`{log: () => {}}`, "")
	two.do(`await d.append("two")`)
	s.setFaultAt("", nil)
	one.do(`await d.append("late"); await kept.persisted; await d.settled()`)
	two.do(`await db.sync(); await d.settled()`)
	for _, tb := range []*tab{one, two} {
		tb.do(`await db.sync()`)
		tb.eventually(`["kept","late","sent","two"]`, `return (await values()).sort()`)
	}
}

// Who is refused to destroy a database, since actions are unsent, has the data streams as they were; so have other tabs.
func TestADestroyThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	for _, tb := range []*tab{one, two} {
		tb.do(`window.logged = []`)
		tb.startData(`{log: (e) => logged.push(e.code)}`, "")
	}
	one.do(`window.s = await db.stream("lists/1"); await d.append("sent").persisted; await s.settled()`)
	two.eventually(`["sent"]`, `return values()`)
	s.setFaultAt("/v1/sync", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
	one.do(`await s.create("todo", {title: "unsent"})`)
	one.want(`["UnsentError",1]`, `try { await db.destroy() } catch (e) { return [e.name, e.pending] }`)
	for i, tb := range []*tab{one, two} {
		tb.want(`true`, `await new Promise((r) => setTimeout(r, 700)); return (await values()).flat()[0] === "sent"`)
		tb.do(`await d.append("after %d").persisted`, i)
		tb.want(`false`, `return logged.includes("lost")`)
	}
	s.setFault(nil)
	one.do(`await s.settled(); await db.destroy()`)
	two.eventually(`"closed"`, `return d.append("too late").then(() => 0, (e) => e.code)`)
}

// Where WebKit has lost what serves a page's databases, a frame's serve the data streams too.
func TestAFrameHealsDataStreams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.do(`%s`, failing+`failOpen(["UnknownError", "Connection to Indexed Database server lost. Refresh the page to try again"])`)
	one.startData(`{log: () => {}}`, "")
	one.offline(true)
	one.want(`["ok",[["kept"]]]`, `await d.append("kept"); return [(await db.health()).indexedDB, await values()]`)
	one.offline(false)
	two := b.open(s.url) // of the same database
	two.startData("", "")
	two.eventually(`["kept"]`, `return values()`)
}

// What was refused stays on its list when the database is taken away.
func TestRefusedEntriesThatAreTakenAway(t *testing.T) {
	t.Parallel()
	s := newDataSite(t, noBadWords)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData(`{log: () => {}}`, "")
	one.do(`for (const v of ["bad 1", "good", "bad 2"]) await d.append(v).persisted.catch(() => {})`)
	one.eventually(`["bad 1","bad 2"]`, `return d.rejected().map((r) => r.value)`)
	one.clearIndexedDB(s.url)
	one.do(`await d.append("after")`)
	one.want(`["bad 1","bad 2"]`, `return d.rejected().map((r) => r.value)`)
	one.do(`await d.discard(d.rejected()[0].id); await d.retry(d.rejected()[0].id)`)
	one.eventually(`[["bad 2"],["good","after"],0]`, `return [d.rejected().map((r) => r.value), await values(), d.status.pending]`)
}

// A Blob whose file is gone is an error that says so, and keeps nobody waiting; what was appended beside it is there.
func TestABlobWhoseFileIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	file := filepath.Join(t.TempDir(), "gone.bin")
	if err := os.WriteFile(file, make([]byte, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	one.startData("", `{contentType: "application/octet-stream"}`)
	one.do(`document.body.innerHTML = '<input type="file" id="file">'`)
	one.run("choose", chromedp.SetUploadFiles("#file", []string{file}, chromedp.ByQuery))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	one.want(`["invalid","",0]`, `
		const error = await d.append(document.getElementById("file").files[0]).then(() => ({code: "kept"}), (e) => e);
		return [error.code, error.path, d.status.pending]`)
	one.do(`await d.append(new Uint8Array([1, 2, 3])).persisted`)
	one.want(`[1]`, `return (await d.read()).map((e) => e.value.byteLength / 3)`)
}
