package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Where the browser keeps nothing data streams work all the same: an append is kept when the server has it.
func TestDataStreamsWhereTheBrowserKeepsNothing(t *testing.T) {
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
					eventually(t, "the server to have it", appended.Load)
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
