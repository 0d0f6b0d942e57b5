package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// The server is killed after it has appended and before its answer arrives: the action is in the log once.
func TestServerKilledBetweenAppendAndAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	var killed atomic.Bool
	s.setFault(func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		if killed.Load() {
			return false
		}
		resp := forward()
		if resp == nil {
			return false
		}
		defer resp.Body.Close()
		if log := s.log("lists/1"); strings.Contains(log, `"title":"once"`) {
			killed.Store(true)
			s.kill()
			hangUp(w)
			return true
		}
		hangUp(w) // an idle turn: it has nothing to lose
		return true
	})
	one.do(`window.w = s.create("todo", {title: "once"}); await w`)
	patience.True(t, "the server to be killed", killed.Load)
	one.want(`1`, `return s.pending().length`)
	s.start()
	one.want(`1`, `return await w.persisted`)
	if n := strings.Count(s.log("lists/1"), `"title":"once"`); n != 1 {
		t.Fatalf("the action is in the log %d times", n)
	}
	one.want(`[0,1]`, `return [s.pending().length, s.count()]`)
}

// kill -9 of the server, again and again while a page writes: what it acknowledged is there, everything is there once.
func TestServerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start(`{timers: {idle: 50, retry: 50}}`)
	one.do(`
		window.acked = [];
		window.writing = (async () => {
			for (let i = 0; i < 400; i++) {
				const w = s.create("n", {i});
				w.persisted.then((index) => acked.push(i));
				await w;
				await new Promise((r) => setTimeout(r, 5));
			}
		})();`)
	before := ""
	for range 8 {
		patience.True(t, "the log to grow", func() bool {
			return entriesOf(s.log("lists/1")) != entriesOf(before) || one.do(`return acked.length`) == "400"
		})
		before = s.log("lists/1")
		s.kill()
		s.start()
		if after := s.log("lists/1"); !strings.HasPrefix(entriesOf(after), entriesOf(before)) {
			t.Fatal("the log changed what it had told")
		}
	}
	one.do(`await writing; await s.settled()`)
	one.want(`400`, `return acked.length`)
	one.want(`400`, `
		const seen = new Set();
		for (let after = 0; ; ) {
			const log = await (await fetch("/v1/log?stream=lists/1&after=" + after)).json();
			for (const e of log.entries ?? []) { if (e.index !== ++after) throw new Error("a hole"); seen.add(e.action.ops[0].fields.i + ":" + e.action.id); }
			if (after === log.head) return seen.size === log.head ? seen.size : "doubled";
		}`)
}

// entriesOf is the text of a log's entries but for the end of the array.
func entriesOf(log string) string {
	_, entries, ok := strings.Cut(log, `"entries":[`)
	if !ok {
		return ""
	}
	entries, _, _ = strings.Cut(entries, `],"epoch"`)
	return entries
}

// kill -9 of the browser in the middle of writes: every write whose promise resolved is there afterwards.
func TestBrowserKilledWhileWriting(t *testing.T) {
	t.Parallel()
	killCycles(t, 4)
}

// filesOf lists what the browser keeps of the databases.
func filesOf(profile string) string {
	var list strings.Builder
	_ = filepath.WalkDir(profile, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, "IndexedDB") {
			if info, err := d.Info(); err == nil {
				fmt.Fprintln(&list, path, info.Size(), info.ModTime().Format("15:04:05.000"))
			}
		}
		return nil
	})
	return list.String()
}

func killCycles(t *testing.T, cycles int) {
	s := newSite(t)
	profile := t.TempDir()
	told := map[string]bool{}
	writes, cuts := 0, 0
	for cycle := range cycles {
		log := logState(profile)
		if log == "cut" {
			cuts++
		}
		b := openBrowser(t, profile)
		one := b.open(s.url)
		one.start(`{server: undefined}`)
		one.do(`window.there = new Map(); for (const title of titles()) there.set(title, (there.get(title) ?? 0) + 1)`)
		list, _ := json.Marshal(slices.AppendSeq([]string{}, maps.Keys(told)))
		if got := one.do(`return %s.filter((title) => there.get(title) !== 1).join()`, list); got != `""` {
			t.Fatalf("cycle %d: %d of %d told as saved are not there once (the browser's own log was %s): %.300s\nwhat the runtime says: %s\nconsole: %s\nthe profile: %s", cycle, 1+strings.Count(got, ","), len(told), log, got,
				one.do(`return {health: await db.health(), databases: await indexedDB.databases(), rows: s.count(), pending: s.pending().length}`), *one.console, filesOf(profile))
		}
		one.do(`
			window.saved = [];
			for (let i = 0; i < 100000; i++) setTimeout(() => { const title = "%d/" + i; s.create("todo", {title}).then(() => saved.push(title)) }, i);`, cycle)
		patience.Until(t, "writes to be told as saved", func() (string, bool) {
			for _, title := range strings.Split(strings.Trim(one.do(`return saved.splice(0).join(",")`), `"`), ",") {
				if title != "" {
					told[title] = true
				}
			}
			return strconv.Itoa(len(told)), len(told)-writes >= 20+23*(cycle%7)
		})
		writes = len(told)
		b.kill()
	}
	one := openBrowser(t, profile).open(s.url)
	one.start("")
	one.do(`await s.settled()`)
	one.want(`true`, `return new Set(titles()).size === s.count()`)
	all, _ := json.Marshal(slices.AppendSeq([]string{}, maps.Keys(told)))
	if got := one.do(`
		const there = new Set(titles());
		return %s.filter((title) => !there.has(title)).join()`, all); got != `""` {
		t.Fatalf("%d of %d told as saved are lost: %.300s", 1+strings.Count(got, ","), len(told), got)
	}
	t.Logf("%d writes told as saved in %d lives, none lost; %d of the kills left a record of the browser's own log cut", writes, cycles, cuts)
}
