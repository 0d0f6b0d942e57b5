package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/inspector"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/patience"
)

// lifecycle freezes the tab as the browser does to save power, or wakes it up.
func (tb *tab) lifecycle(state cdp.SetWebLifecycleStateState) {
	tb.t.Helper()
	tb.run("lifecycle", cdp.SetWebLifecycleState(state))
}

// crash ends the tab's process.
func (tb *tab) crash() {
	tb.t.Helper()
	tb.run("a crash")
	crashed := make(chan bool, 1)
	ctx, cancel := context.WithCancel(tb.ctx)
	defer cancel()
	chromedp.ListenTarget(ctx, func(ev any) {
		if _, is := ev.(*inspector.EventTargetCrashed); is {
			crashed <- true
		}
	})
	go chromedp.Run(ctx, cdp.Crash()) // never answered
	patience.Receive(tb.t, "the tab to crash", crashed)
}

func tabs(b *browser, url string, n int, options string) []*tab {
	var out []*tab
	for range n {
		tb := b.open(url)
		tb.start(options)
		tb.do(`await s.ready`) // who comes first leads first
		out = append(out, tb)
	}
	return out
}

// Eight tabs count at once: each increment is in the log once.
func TestEightTabsCountTo800(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := tabs(openBrowser(t, t.TempDir()), s.url, 8, "")
	id := all[0].do(`const w = s.create("counter", {n: 0}); await w; return w.object`)
	for _, tb := range all {
		tb.eventually(`0`, `return s.get(%s)?.n`, id)
	}
	for _, tb := range all { // all of them run while the next ones are told
		tb.do(`window.counting = (async () => { for (let i = 0; i < 100; i++) await s.update(%s, {n: strandline.increment(1)}) })()`, id)
	}
	for _, tb := range all {
		tb.do(`await counting; await s.settled()`)
	}
	for i, tb := range all {
		tb.eventually(`800`, `return s.get(%s).n`, id)
		tb.want(`0`, `return s.pending().length`)
		leader := tb.do(`return db.status.leader`)
		if want := fmt.Sprint(i == 0); leader != want {
			t.Errorf("tab %d leads: %s", i, leader)
		}
	}
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.start("")
	other.eventually(`800`, `return s.get(%s)?.n`, id)
	other.want(`801`, `return s.head`)
}

// One tab talks to the server; when it goes, another does, and nothing is lost or doubled.
func TestLeadersComeAndGo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const slow = `{timers: {idle: 60000, retry: 300}}`
	all := tabs(b, s.url, 4, slow)
	write := func(tb *tab, title string) { tb.do(`await s.create("todo", {title: %q})`, title) }
	sent := func(tb *tab) {
		tb.t.Helper()
		began := patience.Now()
		tb.eventually(`0`, `return s.status.pending`)
		t.Logf("sent after %v", (patience.Now() - began).Round(time.Millisecond))
	}
	all[0].want(`true`, `return db.status.leader`)
	write(all[3], "from a follower")
	sent(all[3])
	all[1].eventually(`["from a follower"]`, `return titles()`)
	all[1].want(`["live",true,false]`, `return [s.status.state, s.status.next !== null, db.status.leader]`)
	for _, tb := range all[1:] {
		tb.want(`0`, `return performance.getEntriesByType("resource").filter((e) => e.name.includes("/v1/")).length`)
	}

	all[0].do(`await db.close()`)
	all[1].eventually(`true`, `return db.status.leader`)
	write(all[2], "after a close")
	sent(all[2])

	write(all[1], "before a crash")
	all[1].crash()
	all[2].eventually(`true`, `return db.status.leader`)
	write(all[3], "after a crash")
	sent(all[3])

	write(all[2], "before the leader is frozen")
	all[2].lifecycle(cdp.SetWebLifecycleStateStateFrozen)
	write(all[3], "while the leader is frozen")
	sent(all[3]) // in 10 s
	all[2].lifecycle(cdp.SetWebLifecycleStateStateActive)
	write(all[2], "after the thaw")
	sent(all[2])
	want := `["after a close","after a crash","after the thaw","before a crash","before the leader is frozen","from a follower","while the leader is frozen"]`
	all[2].eventually(want, `return titles()`)
	all[3].eventually(want, `return titles()`)
	all[3].want(`7`, `return s.head`)
}

// Tabs that are frozen in the middle of a commit hold up nobody, and what they were writing is written when they go on.
func TestFrozenInTheMiddleOfACommit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := tabs(openBrowser(t, t.TempDir()), s.url, 3, "")
	for i := range 8 {
		victim, other := all[i%2], all[2]
		victim.do(`window.kept = Promise.all(Array.from({length: 20}, async (_, j) => { await new Promise((r) => setTimeout(r, j)); await s.create("todo", {title: "frozen"}) })); await new Promise((r) => setTimeout(r, %d)); return 0`, i)
		victim.lifecycle(cdp.SetWebLifecycleStateStateFrozen)
		other.do(`await s.create("todo", {title: "meanwhile"})`)
		other.eventually(`0`, `return s.pending().filter((a) => a.ops[0].fields.title === "meanwhile").length`)
		victim.lifecycle(cdp.SetWebLifecycleStateStateActive)
		victim.do(`await kept; await s.settled()`)
	}
	for _, tb := range all {
		tb.eventually(`[160,8,0]`, `return [s.count({where: {title: "frozen"}}), s.count({where: {title: "meanwhile"}}), s.pending().length]`)
	}
}

// A tab that was really frozen while others wrote, compacted and checkpointed.
func TestAFrozenTabAcrossACheckpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	all := tabs(b, s.url, 2, "")
	frozen, busy := all[1], all[0] // the leader takes the checkpoints
	const stored = `
		const open = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
		const tx = open.transaction(["records", "meta"]);
		const get = (q) => new Promise((r) => { q.onsuccess = () => r(q.result) });
		const [keys, manifest] = await Promise.all([get(tx.objectStore("records").getAllKeys()), get(tx.objectStore("meta").get(["lists/1"]))]);
		open.close();
		return [keys[0][1], manifest !== undefined]`
	frozen.do(`for (let i = 0; i < 50; i++) s.create("todo", {title: "f" + i}); await s.settled()`)
	busy.eventually(`50`, `return s.count()`)
	frozen.want(`[0,false]`, stored)
	frozen.do(`window.kept = s.create("todo", {title: "at the freeze"}); return 0`)
	frozen.lifecycle(cdp.SetWebLifecycleStateStateFrozen)
	busy.do(`
		for (let i = 0; i < 60; i++) {
			for (let j = 0; j < 40; j++) s.create("todo", {title: "b", text: "x".repeat(100)});
			await new Promise((r) => setTimeout(r, 5));
		}
		await s.settled()`)
	busy.eventually(`true`, `const f = async () => {`+stored+`}; const [first, checkpoint] = await f(); return first > 5 && checkpoint`)
	busy.do(`for (const r of s.query({where: {title: "b"}, limit: 400})) s.remove(r.id); await s.settled()`)
	frozen.lifecycle(cdp.SetWebLifecycleStateStateActive)
	frozen.do(`await kept; await s.create("todo", {title: "after the thaw"}); await s.settled()`)
	for _, tb := range all {
		tb.eventually(`[2052,1,1]`, `return [s.count(), s.count({where: {title: "at the freeze"}}), s.count({where: {title: "after the thaw"}})]`)
	}
	b.kill()
	again := openBrowser(t, b.profile).open(s.url)
	again.offline(true)
	again.start("")
	again.do(`await s.ready`)
	again.want(`[2052,0]`, `return [s.count(), s.pending().length]`)
	again.offline(false)
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.start("")
	other.eventually(`2052`, `return s.count()`)
}
