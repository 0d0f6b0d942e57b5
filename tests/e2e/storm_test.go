package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/patience"
)

// Eight tabs that write and are loaded anew again and again: what was told as kept is there, once, and one of them leads.
func TestAStormOfReloads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const options = `{timers: {idle: 60000, retry: 300}}`
	all := tabs(b, s.url, 8, options)
	var kept []string
	for round := range 3 {
		for i, tb := range all {
			tb.do(`window.kept = []; (async () => { for (let n = 0; n < 1000; n++) { const title = "%d/%d/" + n; await s.create("todo", {title}); kept.push(title) } })().catch(() => {})`, round, i)
		}
		for _, tb := range all {
			tb.eventually(`true`, `return kept.length >= 5`)
		}
		for _, tb := range all {
			kept = append(kept, strings.Split(strings.Trim(tb.do(`return kept.join(",")`), `"`), ",")...)
			tb.leave(`location.reload()`)
		}
		for _, tb := range all {
			tb.eventually(`"complete"`, `return document.readyState`)
			tb.start(options)
		}
	}
	leaders := 0
	for _, tb := range all {
		tb.do(`await db.sync(); await s.settled()`)
		if tb.do(`return db.status.leader`) == "true" {
			leaders++
		}
	}
	if leaders != 1 {
		t.Errorf("%d lead", leaders)
	}
	patience.True(t, "one connection for hints", func() bool { return s.listeners() == 1 })
	last := all[7]
	last.eventually(`true`, `return s.count() === s.head && new Set(titles()).size === s.count()`)
	for _, title := range kept {
		if title != "" && last.do(`return s.count({where: {title: %q}})`, title) != "1" {
			t.Fatalf("%s was told as kept, and is not there once", title)
		}
	}
	t.Logf("%d writes told as kept in 24 loads, none lost", len(kept))
}

// A leader that hangs says nothing and gives nothing back: what others write goes out within ten seconds, and after that as ever.
func TestALeaderThatHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const slow = `{timers: {idle: 60000, retry: 300}}`
	all := tabs(b, s.url, 3, slow)
	all[0].want(`true`, `return db.status.leader`)
	hangs, goesOn := make(chan bool), make(chan bool)
	s.setFaultAt("/hang", func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
		hangs <- true
		<-goesOn
		return true
	})
	all[0].do(`setTimeout(() => { const r = new XMLHttpRequest(); r.open("GET", "/hang", false); r.send() }); return 0`)
	patience.Receive(t, "the leader to hang", hangs)
	sent := func(tb *tab, title string) time.Duration {
		t.Helper()
		began := patience.Now()
		tb.do(`await s.create("todo", {title: %q})`, title)
		tb.eventually(`0`, `return s.pending().length`)
		return patience.Now() - began
	}
	first, second := sent(all[1], "first"), sent(all[1], "second")
	if first > 13*time.Second || second > 13*time.Second {
		t.Errorf("with a leader that hangs a write is sent after %v, the next one after %v", first, second)
	}
	patience.True(t, "another leader", func() bool {
		return all[1].do(`return db.status.leader`) == "true" || all[2].do(`return db.status.leader`) == "true"
	})
	third := sent(all[2], "third")
	if third > 3*time.Second {
		t.Errorf("with the next leader a write is sent after %v", third)
	}
	close(goesOn)
	t.Logf("sent after %v, %v, and with the next leader after %v", first.Round(time.Millisecond), second.Round(time.Millisecond), third.Round(time.Millisecond))
	// When it goes on it hears that it does not lead any more, and writes as ever.
	all[0].do(`await s.create("todo", {title: "after"}); await s.settled()`)
	all[0].eventually(`[["after","first","second","third"],false]`, `return [titles(), db.status.leader]`)
	patience.True(t, "one connection for hints", func() bool { return s.listeners() == 1 })
}

// How long it takes from a leader's end until another tab's write is sent.
func TestTimeToTheNextLeader(t *testing.T) {
	t.Parallel()
	const slow = `{timers: {idle: 60000, retry: 300}}`
	for name, end := range map[string]func(tb *tab){
		"closed":  func(tb *tab) { tb.close() },
		"crashed": func(tb *tab) { tb.crash() },
		"frozen":  func(tb *tab) { tb.lifecycle(cdp.SetWebLifecycleStateStateFrozen) },
		"left":    func(tb *tab) { tb.goTo("about:blank") },
		"stolen from": func(tb *tab) {
			tb.do(`await new Promise((r) => navigator.locks.request("strandline/test/", {steal: true}, () => { r(); return new Promise((r) => setTimeout(r, 2000)) }).catch(() => {}))`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := openBrowser(t, t.TempDir())
			leader := b.open(s.url)
			leader.start(slow)
			leader.eventually(`true`, `return db.status.leader`)
			follower := b.open(s.url)
			follower.start(slow)
			follower.do(`await s.settled()`)
			began := patience.Now()
			end(leader)
			follower.do(`await s.create("todo", {title: %q})`, name)
			follower.eventually(`0`, `return s.pending().length`)
			took := patience.Now() - began
			follower.eventually(`true`, `return db.status.leader`)
			if t.Logf("sent after %v, leads after %v", took.Round(time.Millisecond), (patience.Now() - began).Round(time.Millisecond)); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// The back/forward cache: a page that was left and is come back to reads what was written meanwhile, and writes on top of it.
func TestThereAndBackAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.start("")
	two.start("")
	one.do(`window.stays = true; addEventListener("pageshow", (e) => window.back = e.persisted); await s.create("todo", {title: "before"})`)
	two.eventually(`["before"]`, `return titles()`)
	one.goTo(s.url + "/empty.html")
	two.do(`await s.create("todo", {title: "meanwhile"}); await s.settled()`)
	two.want(`true`, `return db.status.leader`)
	one.run("back", chromedp.NavigateBack())
	t.Logf("out of the cache: %s", one.do(`return window.back ?? false`))
	if one.do(`return window.stays ?? false`) != "true" {
		one.start("")
	}
	one.eventually(`["before","meanwhile"]`, `return titles()`)
	one.do(`await s.create("todo", {title: "after"}); await s.settled()`)
	two.eventually(`["after","before","meanwhile"]`, `return titles()`)
}

// A tab that is duplicated takes the session's storage with it, and nothing else: two tabs of one client.
func TestADuplicatedTab(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.start("")
	one.do(`sessionStorage.mark = "copied"; await s.create("todo", {title: "first"}); await s.settled()`)
	two := b.open(s.url)
	two.do(`sessionStorage.mark = %s`, one.do(`return sessionStorage.mark`))
	two.start("")
	two.want(one.do(`return s.client`), `return s.client`)
	for i, tb := range []*tab{one, two} {
		tb.do(`window.writing = Promise.all(Array.from({length: 20}, (_, n) => s.create("todo", {title: "%d/" + n})))`, i)
	}
	for _, tb := range []*tab{one, two} {
		tb.do(`await writing; await s.settled()`)
		tb.eventually(`[41,41]`, `return [s.count(), s.head]`)
		tb.want(`0`, `return s.status.rejected`)
	}
}

// The browser's word on the network is never believed, in either direction.
func TestOnlineIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{timers: {idle: 60000, retry: 300}}`)
	one.do(`Object.defineProperty(navigator, "onLine", {get: () => window.says}); window.says = false; dispatchEvent(new Event("offline"))`)
	one.do(`await s.create("todo", {title: "it says offline"}); await s.settled()`) // and is not
	one.eventually(`"live"`, `return s.status.state`)
	s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
	one.do(`window.says = true; dispatchEvent(new Event("online")); await s.create("todo", {title: "it says online"})`)
	one.eventually(`["waiting",true,1]`, `const {state, next, pending} = s.status; return [state, next.because !== "" && next.at > Date.now() - 1000, pending]`)
	s.setFault(nil)
	one.do(`await s.settled()`)
}

// Whatever state the loop is in, the status says when it goes on, and why; what the server asks for is heeded.
func TestTheStatusTellsWhatComesNext(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{timers: {idle: 60000, retry: 5000}}`)
	one.do(`await s.settled()`)
	in := func(what string, least, most float64, because string) {
		t.Helper()
		patience.Until(t, what, func() (string, bool) {
			got := one.do(`
				const {state, next} = s.status, s1 = next && (next.at - Date.now()) / 1000;
				if (next && s1 > %g && s1 < %g && next.because === %q && state !== "syncing") return "told";
				return [state, next?.because]`, least, most, because)
			return got, got == `"told"`
		})
	}
	in("nothing to do", 30, 61, "nothing to do; looking for news")
	answer := func(status int, header, value string) {
		s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"code":"unavailable","status":%d}`, status)
			return true
		})
		one.do(`await db.sync().catch(() => {})`)
	}
	answer(503, "", "")
	in("a failure", 2, 5.6, "a failure; trying again")
	answer(503, "Retry-After", "120")
	in("Retry-After in seconds", 90, 121, "the server asked to wait")
	answer(429, "Retry-After", time.Now().Add(5*time.Minute).UTC().Format(http.TimeFormat))
	in("Retry-After as a date", 240, 301, "the server asked to wait")
	answer(503, "Retry-After", "9999999999999999999999")
	in("Retry-After that is absurd", 3500, 3601, "the server asked to wait")
	s.setFault(nil)
	one.do(`await db.sync()`)
	in("nothing to do again", 30, 61, "nothing to do; looking for news")
}

// A device that sleeps stops the timers too: when it goes on, so does the loop, at once.
func TestADeviceThatSlept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`
		const interval = setInterval, now = Date.now;
		window.ahead = 0;
		Date.now = () => now() + ahead;
		window.looks = 0;
		window.setInterval = (f, ms) => interval(() => { looks++; f() }, ms === 10000 ? 200 : ms);`)
	one.start(`{timers: {idle: 3600000, retry: 3600000}}`)
	one.do(`await s.settled()`)
	s.setFault(func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true })
	one.do(`await s.create("todo", {title: "a"})`)
	one.eventually(`"waiting"`, `return s.status.state`)
	s.setFault(nil)
	one.do(`looks = 0`)
	one.eventually(`true`, `return looks > 2`)
	one.want(`1`, `return s.pending().length`) // it waits for an hour
	one.do(`ahead = 3600000`)
	one.eventually(`0`, `return s.pending().length`)
	one.want(`true`, `return db.trace().some((w) => w.because === "the device goes on after a sleep")`)
}
