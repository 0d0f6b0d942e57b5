//go:build soak

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Twenty tabs of one profile write for ten minutes, while they are frozen, crash, are loaded anew and duplicated at random, and the server is killed:
// nothing is lost or doubled, and memory stays flat.
func TestTwentyTabs(t *testing.T) {
	const count = 20
	minutes := 10.0
	if text := os.Getenv("SOAK_MINUTES"); text != "" {
		minutes, _ = strconv.ParseFloat(text, 64)
	}
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const options = `{timers: {idle: 20000, retry: 1000}, log: () => {}}`
	spy := func(tb *tab) {
		tb.do(`
			const real = WebAssembly.instantiateStreaming;
			WebAssembly.instantiateStreaming = async (...args) => { const r = await real.apply(WebAssembly, args); window.memory = r.instance.exports.mem; return r };`)
	}
	begin := func(tb *tab, name string) {
		tb.do(`window.kept ??= []; window.going = true; (async () => {
			for (let n = 0; going; n++) {
				const title = %q + "/" + n;
				await s.create("todo", {title}).then((id) => { kept.push(title); if (n >= 3) return s.remove(s.query({where: {title: %[1]q + "/" + (n - 3)}})[0]?.id ?? id) }).catch(() => {});
				await new Promise((r) => setTimeout(r, 500 + Math.random() * 1000));
			}
		})()`, name)
	}
	var all []*tab
	for i := range count {
		tb := b.open(s.url)
		spy(tb)
		tb.start(options)
		begin(tb, strconv.Itoa(i))
		all = append(all, tb)
	}
	memory := func() (sum int) {
		for _, tb := range all {
			n, _ := strconv.Atoi(tb.do(`return window.memory?.buffer.byteLength ?? 0`))
			sum += n
		}
		return sum >> 20
	}
	told := map[string]bool{}
	take := func(tb *tab) {
		for _, title := range strings.Split(strings.Trim(tb.do(`return (window.kept ?? []).splice(0).join(",")`), `"`), ",") {
			if title != "" {
				told[title] = true
			}
		}
	}
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	first, round, crashes, freezes, loads, kills := 0, 0, 0, 0, 0, 0
	for time.Now().Before(end) {
		round++
		i := rand.IntN(count)
		tb := all[i]
		name := strconv.Itoa(i) + "." + strconv.Itoa(round)
		take(tb)
		switch rand.IntN(10) {
		case 0:
			crashes++
			tb.crash()
			all[i] = b.open(s.url)
			spy(all[i])
			all[i].start(options)
			begin(all[i], name)
		case 1, 2, 3:
			freezes++
			tb.lifecycle(cdp.SetWebLifecycleStateStateFrozen)
			time.Sleep(time.Duration(rand.IntN(5000)) * time.Millisecond)
			tb.lifecycle(cdp.SetWebLifecycleStateStateActive)
		case 4, 5:
			loads++
			if err := chromedp.Run(tb.ctx, chromedp.Reload()); err != nil {
				t.Fatal(err)
			}
			spy(tb)
			tb.start(options)
			begin(tb, name)
		case 6:
			kills++
			s.kill()
			time.Sleep(time.Second)
			s.start()
		}
		if round == 40 {
			first = memory()
		}
		time.Sleep(300 * time.Millisecond)
	}
	last := memory()
	for _, tb := range all {
		tb.do(`going = false`)
	}
	for i, tb := range all {
		got := tb.do(`
			await new Promise((r) => setTimeout(r, 1600));
			const late = new Promise((r) => setTimeout(r, 20000, "late"));
			const synced = await Promise.race([db.sync().then(() => "", String), late]);
			return await Promise.race([s.settled(), late]) === "late" ? {synced, status: db.status, head: s.head, trace: db.trace().slice(-5), pending: s.pending().length} : "settled"`)
		if got != `"settled"` {
			t.Errorf("tab %d of %d does not settle: %s", i, count, got)
		}
		take(tb)
	}
	tb := all[0]
	log := tb.do(`
		const seen = new Map();
		for (let after = 0; ; ) {
			const log = await (await fetch("/v1/log?stream=lists/1&after=" + after)).json();
			for (const e of log.entries ?? []) {
				if (e.index !== ++after) return "a hole at " + after;
				if (seen.has(e.action.id)) return "twice: " + e.action.id;
				seen.set(e.action.id, e.action.ops[0].fields?.title ?? "");
			}
			if (after >= log.head) break;
		}
		window.inLog = new Set(seen.values());
		return "whole"`)
	if log != `"whole"` {
		t.Errorf("the log: %s", log)
	}
	lost := 0
	for title := range told {
		if tb.do(`return inLog.has(%q)`, title) != "true" {
			lost++
			t.Errorf("%s was told as kept and is lost", title)
		}
	}
	for _, other := range all[1:] {
		other.eventually(tb.do(`return s.head`), `return s.head`)
	}
	t.Logf("%d writes told as kept, %d lost; %d crashes, %d freezes, %d loads, %d server kills; memory of all tabs %d MiB at the beginning, %d at the end", len(told), lost, crashes, freezes, loads, kills, first, last)
	if last > 2*first {
		t.Errorf("memory grows: %d to %d MiB", first, last)
	}
}

// Sixty kills of the browser while it writes.
func TestKillCycles(t *testing.T) { killCycles(t, 60) }

// Tabs that stay frozen for an hour in the middle of their transactions, the leader among them: nobody waits for them, and when they go on nothing is lost or
// doubled.
func TestFrozenForAnHour(t *testing.T) {
	minutes := 60.0
	if text := os.Getenv("SOAK_MINUTES"); text != "" {
		minutes, _ = strconv.ParseFloat(text, 64)
	}
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	all := tabs(b, s.url, 3, "")
	victims, other := all[:2], all[2]
	for _, tb := range victims {
		tb.do(`
			window.kept = [];
			window.writing = setInterval(() => kept.push(s.create("todo", {title: "frozen"})), 1);
			await new Promise((r) => setTimeout(r, 500))`)
		tb.lifecycle(cdp.SetWebLifecycleStateStateFrozen)
	}
	slowest, rounds := time.Duration(0), 0
	for end := time.Now().Add(time.Duration(minutes * float64(time.Minute))); time.Now().Before(end); rounds++ {
		began := time.Now()
		other.do(`await s.create("todo", {title: "meanwhile"}).persisted`)
		slowest = max(slowest, time.Since(began))
		time.Sleep(min(20*time.Second, time.Until(end)))
	}
	written := 0
	for _, tb := range victims {
		tb.lifecycle(cdp.SetWebLifecycleStateStateActive)
		n, _ := strconv.Atoi(tb.do(`clearInterval(writing); await Promise.all(kept); await s.settled(); return kept.length`))
		written += n
	}
	for _, tb := range all {
		tb.eventually(fmt.Sprintf(`[%d,%d,0]`, written, rounds), `return [s.count({where: {title: "frozen"}}), s.count({where: {title: "meanwhile"}}), s.pending().length]`)
	}
	t.Logf("two tabs frozen for %v minutes: %d writes of theirs and %d meanwhile are there once; the slowest of these was on the server after %v", minutes, written, rounds, slowest.Round(time.Millisecond))
}
