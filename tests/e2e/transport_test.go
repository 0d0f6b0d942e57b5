package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/tests/patience"
)

// ten opens an action stream and ten data streams, and gives what each of them shows as shows().
const ten = `
	window.all = [s];
	for (let i = 0; i < 10; i++) all.push(await db.data("log/" + i));
	window.shows = () => [...new Set(all.map((x) => [x.status.state, x.status.reason, x.status.error?.code ?? null, x.status.error?.retryable ?? null].join(" ")))];`

// A dead token: auth() is called once for all streams, and less and less (F7); one that is good again is taken at once.
func TestADeadTokenIsAskedForOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "--auth", "secret:"+file)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`window.token = "dead"; window.calls = 0`)
	one.start(`{auth: () => { calls++; return token }}`)
	var requests atomic.Int64
	s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			requests.Add(1)
		}
		return false
	})
	one.do("%s", ten+`for (const x of all) await (x === s ? x.create("todo", {title: "held"}) : x.append({n: 1}))`)
	one.eventually(`["held  unauthorized true"]`, `return shows()`)
	one.eventually(`true`, `return calls >= 2`) // the retry is 300 ms: calls at 0, 0.6 and 3 s
	calls := one.do(`return calls`)
	if n := requests.Load(); n > 20 {
		t.Errorf("%d requests with a token that is dead, which auth() was asked for %s times", n, calls)
	}
	one.do(`window.token = "sesame"; window.before = calls; await db.sync()`)
	one.eventually(`["live   "]`, `return shows()`)
	one.want(`[1,0]`, `return [calls - before, all.reduce((n, x) => n + x.status.pending, 0)]`)
}

// A token whose time is over is replaced within the request: nobody sees that it was.
func TestATokenWhoseTimeIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var mu sync.Mutex
	valid, refused := "one", 0
	s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, "/v1/") || r.Header.Get("Authorization") == "Bearer "+valid {
			return false
		}
		refused++
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		w.Write([]byte(`{"code":"unauthorized","status":401}`))
		return true
	})
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`window.token = "one"; window.calls = 0; window.states = new Set()`)
	one.start(`{auth: () => { calls++; return token }}`)
	one.do("%s", ten+`await db.sync()`)
	one.eventually(`["live   "]`, `return shows()`)
	one.do(`for (const x of all) x.on("status", (st) => states.add(st.state))`)
	mu.Lock()
	valid = "two"
	mu.Unlock()
	one.do(`window.token = "two";
		await Promise.all(all.map((x) => (x === s ? x.create("todo", {title: "x"}) : x.append({n: 1})).persisted))`)
	one.want(`[2,[]]`, `return [calls, [...states].filter((x) => x !== "live" && x !== "syncing")]`)
	mu.Lock()
	defer mu.Unlock()
	if refused == 0 || refused > 3 {
		t.Errorf("%d requests were refused", refused)
	}
}

// What stands in the way is told alike by streams of both kinds (J14).
func TestAFaultIsToldAlikeByBothKinds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do("%s", ten+`await db.sync()`)
	for _, c := range []struct {
		name, kind, body string
		status           int
		want             string
	}{
		{"no connection", "", "", 0, "waiting  unreachable true"},
		{"a portal", "text/html", "<html>sign in", 200, "waiting  bad-answer true"},
		{"a proxy", "text/html", "<html>bad gateway", 502, "waiting  bad-answer true"},
		{"a problem that is none", "application/problem+json", "<html>", 500, "waiting  bad-answer true"},
		{"internal", "application/problem+json", `{"code":"internal","status":500}`, 500, "waiting  internal true"},
		{"unavailable", "application/problem+json", `{"code":"unavailable","status":503}`, 503, "waiting  unavailable true"},
		{"a busy proxy", "text/html", "busy", 503, "waiting  unavailable true"},
		{"rate-limited", "application/problem+json", `{"code":"rate-limited","status":429}`, 429, "waiting  rate-limited true"},
		{"unauthorized", "application/problem+json", `{"code":"unauthorized","status":401}`, 401, "held  unauthorized true"},
		{"forbidden", "application/problem+json", `{"code":"forbidden","status":403}`, 403, "stopped forbidden forbidden false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
				if !strings.HasPrefix(r.URL.Path, "/v1/") {
					return false
				}
				if c.status == 0 {
					hangUp(w)
					return true
				}
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				w.Write([]byte(c.body))
				return true
			})
			one.do(`await db.sync().catch(() => {})`)
			one.eventually(`["`+c.want+`"]`, `return shows()`)
			one.want(`true`, `return all.every((x) => x.status.next.at > 0 && x.status.next.because !== "")`)
			s.setFault(nil)
			one.do(`await db.sync()`)
			one.eventually(`["live   "]`, `return shows()`)
		})
	}
	one.want(`[true,true]`, `const t = db.trace(); return [t.some((w) => w.data === "log/3"), t.some((w) => w.data === "")]`)
}

// A proxy that refuses what is large: what is queued goes in requests that get through, each entry once (F1, of data streams).
func TestDataStreamsThroughAProxyThatRefusesWhatIsLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var refused atomic.Int64
	s.setFaultAt("", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if r.ContentLength < 100_000 {
			return false
		}
		refused.Add(1)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		w.Write([]byte("<html>413"))
		return true
	})
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", "")
	one.offline(true)
	one.do(`
		window.files = await db.data("files", {contentType: "application/octet-stream"});
		const all = [];
		for (let n = 0; n < 1500; n++) all.push(d.append({n, text: "x".repeat(400)}));
		all.push(files.append(new Uint8Array(900_000).fill(7)), files.append(new Uint8Array(3_000_000).fill(8)));
		await Promise.all(all)`)
	one.offline(false)
	one.do(`await Promise.all([d.settled(), files.settled()])`)
	one.want(`[1500,true]`, `const all = await d.read({after: "-1"}); return [all.length, all.every((e, n) => e.value.n === n)]`)
	one.want(`[[900000,7],[3000000,8]]`, `return (await files.read({after: "-1"})).map((e) => [e.value.length, e.value.at(-1)])`)
	if n := refused.Load(); n == 0 || n > 20 {
		t.Errorf("%d requests were refused", n)
	}
}

// One connection for hints serves a profile, over all databases and contexts, with locks and without (F4).
func TestOneConnectionForHints(t *testing.T) {
	t.Parallel()
	heard := func(t *testing.T, s *site, tb *tab, stream, text string) {
		t.Helper()
		cmd := exec.Command(serverBin, "append", s.url, stream)
		cmd.Stdin = strings.NewReader(`{"op":"create","object":"` + action.UUID(uuid.New()).String() + `","type":"todo","fields":{"title":"` + text + `"}}`)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		tb.eventually(`true`, `return Object.values(all).some((s) => s.query().some((row) => row.title === %q))`, text)
	}
	opens := func(tb *tab, names ...string) {
		tb.do(`
			while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
			window.all ??= {};
			for (const name of %q.split(" ")) {
				const db = await strandline.open({name, server: location.origin});
				all[name] = await db.stream("lists/" + name);
				await db.sync();
			}`, strings.Join(names, " "))
	}
	one := func(t *testing.T, s *site) {
		t.Helper()
		patience.True(t, "one connection for hints", func() bool { return s.listeners() == 1 })
	}
	t.Run("six databases in a page", func(t *testing.T) {
		s := newSite(t)
		tb := openBrowser(t, t.TempDir()).open(s.url)
		opens(tb, "a", "b", "c", "d", "e", "f")
		one(t, s)
		for _, name := range []string{"a", "f"} {
			heard(t, s, tb, "lists/"+name, "pushed to "+name)
		}
		tb.do(`for (const name of "abcde") { await all[name].close(); delete all[name]; }`)
		heard(t, s, tb, "lists/f", "the last one hears still")
		one(t, s)
	})
	t.Run("databases in several tabs", func(t *testing.T) {
		s := newSite(t)
		b := openBrowser(t, t.TempDir())
		first, second := b.open(s.url), b.open(s.url)
		opens(first, "a")
		opens(second, "b")
		one(t, s)
		heard(t, s, first, "lists/a", "to the first")
		heard(t, s, second, "lists/b", "to the second")
		first.close()
		one(t, s)
		heard(t, s, second, "lists/b", "to who is left")
	})
	t.Run("seven tabs without locks", func(t *testing.T) {
		s := newSite(t)
		b := openBrowser(t, t.TempDir())
		write(t, map[string]string{"nolocks.html": page(`<script>Object.defineProperty(navigator, "locks", {value: undefined})</script>
<script type="module">import * as strandline from "/dist/strandline.js"; window.strandline = strandline;</script>`)})
		var tabs []*tab
		for range 7 {
			tb := b.open(s.url + "/nolocks.html")
			opens(tb, "a")
			tabs = append(tabs, tb)
		}
		one(t, s)
		heard(t, s, tabs[0], "lists/a", "heard by all")
		for _, tb := range tabs[1:] {
			tb.eventually(`1`, `return all.a.count({where: {title: "heard by all"}})`)
		}
		for len(tabs) > 4 {
			tabs[0].close()
			tabs = tabs[1:]
		}
		one(t, s)
		heard(t, s, tabs[0], "lists/a", "and by who is left")
		for _, tb := range tabs[1:] {
			tb.eventually(`1`, `return all.a.count({where: {title: "and by who is left"}})`)
		}
	})
}

// One script holds all, for pages that can neither fetch nor import (F10).
func TestOneScriptHoldsAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "strandline.all.js"), built(t, "strandline.all.js"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page(`<script src="strandline.all.js"></script>`)), 0o644); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, t.TempDir())
	one := b.open("file://" + dir + "/index.html")
	opens := `
		window.db = await strandline.open({name: "file"});
		window.s = await db.stream("lists/1");
		window.d = await db.data("log/1");`
	one.do("%s", opens+`await s.create("todo", {title: "from a file"}); await d.append({n: 1})`)
	one.reload()
	one.do("%s", opens)
	one.want(`["from a file",1]`, `await s.ready; return [s.query()[0].title, (await d.read())[0].value.n]`)
	if len(*one.console) > 0 {
		t.Error(*one.console)
	}
	// And with a server, where nothing else can be fetched.
	site := newSite(t)
	write(t, map[string]string{"all.html": page(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ` + site.url + `/v1/">` +
		`<script src="/dist/strandline.all.js"></script>`)})
	two := b.open(site.url + "/all.html")
	two.start("")
	two.do(`window.d = await db.data("log/1"); await s.create("todo", {title: "x"}).persisted; await d.append({n: 2}).persisted`)
	patience.True(t, "the entry to be on the server", func() bool { return site.entries("log/1") == `[{"n":2}]` })
}
