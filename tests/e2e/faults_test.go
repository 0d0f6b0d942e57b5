package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// What stands between a browser and the server answers in its stead: nothing is written, nothing is lost, the loop goes on, and the status
// has a stable code.
func TestWhatIsNoAnswerIsNeverTakenForOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	plain := func(status int, kind, body string) func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
			return true
		}
	}
	half := func(cut func(body []byte) []byte, length bool) func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		return func(w http.ResponseWriter, _ *http.Request, forward func() *http.Response) bool {
			resp := forward()
			if resp == nil {
				return false
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			w.Header().Set("Content-Type", "application/json")
			if length { // the connection breaks in the middle of the body
				w.Header().Set("Content-Length", "100000")
			}
			w.Write(cut(body))
			if length {
				w.(http.Flusher).Flush()
				hangUp(w)
			}
			return true
		}
	}
	for _, c := range []struct {
		name  string
		fault func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool
		state string
		code  string
	}{
		{"captive portal", plain(200, "text/html", "<html>Please sign in</html>"), "waiting", "bad-answer"},
		{"captive portal that says JSON", plain(200, "application/json", `{"login":"please"}`), "waiting", "bad-answer"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
			http.Redirect(w, r, "/empty.html", http.StatusFound)
			return true
		}, "waiting", "unreachable"},
		{"an empty 200", plain(200, "application/json", ""), "waiting", "bad-answer"},
		{"a 200 with half a body", half(func(b []byte) []byte { return b[:len(b)/2] }, false), "waiting", "bad-answer"},
		{"a body that breaks off", half(func(b []byte) []byte { return b[:len(b)/2] }, true), "waiting", "unreachable"},
		{"an answer for another stream", half(func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "lists/1", "lists/2")) }, false), "waiting", "bad-answer"},
		{"another chain", half(func(b []byte) []byte {
			return []byte(strings.Replace(string(b), `"entries":[{"action":{`, `"entries":[{"action":{"meta":1,`, 1))
		}, false), "", ""},
		{"a proxy's 502", plain(502, "text/html", "bad gateway"), "waiting", "bad-answer"},
		{"500", plain(500, "application/problem+json", `{"code":"internal","status":500}`), "waiting", "internal"},
		{"503", plain(503, "application/problem+json", `{"code":"unavailable","status":503}`), "waiting", "unavailable"},
		{"401", plain(401, "application/problem+json", `{"code":"unauthorized","status":401}`), "held", "unauthorized"},
		{"403", plain(403, "application/problem+json", `{"code":"forbidden","status":403}`), "stopped", "forbidden"},
		{"429", plain(429, "application/problem+json", `{"code":"rate-limited","status":429}`), "waiting", "rate-limited"},
		{"a problem that is none", plain(400, "application/problem+json", `<html>`), "waiting", "bad-answer"},
		{"no connection", func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true }, "waiting", "unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.setFault(c.fault)
			one.do(`window.w = s.create("todo", {title: %q}); await w`, c.name)
			if c.code != "" {
				one.eventually(`["`+c.state+`","`+c.code+`"]`, `return [s.status.state, s.status.error?.code]`)
				one.eventually(`true`, `const n = s.status.next; return n.at > Date.now() - 1000 && n.because.length > 0`)
				one.want(`true`, `return s.pending().length === 1 && s.isPending(w.object)`)
			}
			s.setFault(nil)
			one.do(`await w.persisted`)
			one.eventually(`"live"`, `return s.status.state`)
			if n := strings.Count(s.log("lists/1"), `"title":"`+c.name+`"`); n != 1 {
				t.Fatalf("it is in the log %d times", n)
			}
		})
	}
	one.want(`0`, `return s.status.rejected`)
}

// Without a valid token the queue is held, never dropped; the token is asked for again.
func TestAToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("  sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "--auth", "secret:"+file)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{auth: () => { if (window.token instanceof Error) throw window.token; return Promise.resolve(window.token ?? null) }}`)
	one.do(`window.w = s.create("todo", {title: "held"}); await w`)
	for _, token := range []string{`null`, `"wrong"`, `new Error("mine")`, `5`, `""`} {
		one.do(`window.token = %s; dispatchEvent(new Event("online"))`, token)
		one.eventually(`["held","unauthorized",1]`, `return [s.status.state, s.status.error?.code, s.status.pending]`)
	}
	one.do(`window.token = "sesame"; await w.persisted`)
	one.eventually(`"live"`, `return s.status.state`)
}

// A request that is never answered fails at its deadline; the loop goes on.
func TestAServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	hung := make(chan bool, 100)
	s.setFault(func(_ http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		hung <- true
		<-r.Context().Done() // until the browser gives up
		return true
	})
	one.do(`window.w = s.create("todo", {title: "late"}); await w`)
	patience.Receive(t, "the request", hung)
	one.eventually(`"timeout"`, `return s.status.error?.code ?? null`)
	s.setFault(nil)
	one.do(`await w.persisted`)
}

// A full disk: the write is told as not kept and taken back; what was kept before stays, and a later write goes through. This
// Chromium does not enforce Storage.overrideQuotaForOrigin, so the browser's answer is put in its place.
func TestQuota(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{server: undefined}`)
	one.do(`
		await s.create("todo", {title: "kept"});
		window.add = IDBObjectStore.prototype.add;
		IDBObjectStore.prototype.add = () => { throw new DOMException("the disk is full", "QuotaExceededError") };`)
	one.want(`["QuotaError","quota",true,["kept"],0]`, `
		const before = s.pending().length;
		const w = s.create("todo", {title: "lost"});
		if (s.count() !== 2) throw new Error("a write is not seen at once");
		try { await w; return "told as kept" } catch (e) { return [e.name, e.code, e.retryable, titles(), s.pending().length - before] }`)
	one.do(`IDBObjectStore.prototype.add = add; await s.create("todo", {title: "after"}); await db.close()`)
	one.reload()
	one.start(`{server: undefined}`)
	one.want(`["after","kept"]`, `return titles()`)
}

// Two tabs of one profile share the local log, and tell each other.
func TestTwoTabsOfOneProfile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	for _, tb := range []*tab{one, two} {
		tb.start(`{server: undefined}`)
	}
	one.want(two.do(`return s.client`), `return s.client`)
	one.do(`window.seen = new Promise((r) => s.subscribe({}, (rows, change) => { if (change.origin === "remote" && rows.length === 1) r(change.added.length) }))`)
	two.do(`await s.create("todo", {title: "from two", n: 0})`)
	one.want(`1`, `return await seen`)
	both := `for (let i = 0; i < 50; i++) await s.update(s.query()[0].id, {n: strandline.increment()})`
	one.do(`window.done = (async () => { %s })()`, both)
	two.do("%s", both)
	one.do(`await done`)
	one.eventually(`100`, `return s.query()[0].n`)
	two.eventually(`100`, `return s.query()[0].n`)
	one.eventually(`101`, `return s.pending().length`)
	two.do(`await db.destroy({force: true})`)
	one.eventually(`"closed"`, `return await s.create("todo", {}).then(() => "written", (e) => e.code)`)
}
