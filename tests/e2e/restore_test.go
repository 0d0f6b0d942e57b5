package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// strandline runs a verb over the data directory.
func (s *site) strandline(args ...string) {
	s.t.Helper()
	if out, err := exec.Command(serverBin, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// A real server is restored from a backup, twice, while pages are open, one of them offline, and one that is opened later: what they had sent
// since returns, once; the log that was deleted stays so.
func TestARestoredServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	backup := filepath.Join(t.TempDir(), "backup")
	one, two := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	a, b := one.open(s.url), two.open(s.url)
	for _, p := range []*tab{a, b} {
		p.start(`{timers: {idle: 200, retry: 100}}`)
		p.do(`window.resets = []; s.on("reset", (r) => resets.push(r)); window.titles = () => s.query({type: "todo"}).map((r) => r.title).sort().join()`)
	}
	a.do(`await s.create("todo", {title: "before"}).persisted`)
	b.eventually(`"before"`, `return titles()`)
	s.strandline("backup", backup, "--data", s.data)
	a.do(`window.id = (await Promise.all([s.create("todo", {title: "a1"}).persisted, s.create("todo", {title: "a2"}).persisted])).length`)
	b.do(`await s.create("todo", {title: "b"}).persisted`)
	a.eventually(`"a1,a2,b,before"`, `return titles()`)
	for round := range 2 {
		s.kill()
		s.strandline("restore", backup, "--data", s.data)
		a.do("%s", `await s.create("todo", {title: "c`+string(rune('0'+round))+`"})`) // offline
		s.start()
		want := []string{`"a1,a2,b,before,c0"`, `"a1,a2,b,before,c0,c1"`}[round]
		for _, p := range []*tab{a, b} { // else they take their time: up to a minute
			p.do(`await db.sync().catch(() => db.sync())`)
		}
		for _, p := range []*tab{a, b} {
			p.eventually(want, `return titles()`)
			p.eventually(`0`, `return s.status.pending`)
		}
	}
	a.want(`["restored","restored"]`, `return resets.map((r) => r.reason)`)
	a.want(`[0,0,0,0]`, `const r = resets[1]; return [r.refused, r.dropped, r.unknown, r.lost].map((l) => l.length)`)
	c := one.open(s.url) // it finds what the others have made of it
	c.start(`{timers: {idle: 200, retry: 100}}`)
	c.eventually(`["restored","restored"]`, `return (s.resets() ?? []).map((r) => r.reason)`)
	c.eventually(`"a1,a2,b,before,c0,c1"`, `return s.query({type: "todo"}).map((r) => r.title).sort().join()`)
	c.do(`const r = await fetch("/v1/log?stream=lists/1", {method: "DELETE"}); if (r.status !== 204) throw new Error(r.status); await db.sync()`)
	a.do(`await db.sync()`)
	for _, p := range []*tab{a, c} {
		p.eventually(`0`, `return s.query({type: "todo"}).length`)
	}
	a.eventually(`["deleted","a1,a2,before,c0,c1"]`, `
		return [resets.at(-1).reason, s.rejected().filter((r) => r.code === "deleted").map((r) => r.action.ops[0].fields.title).sort().join()]`)
	b.do(`await db.sync()`)
	b.eventually(`"b"`, `return s.rejected().map((r) => r.action.ops[0].fields.title).join()`)
	b.do(`await s.retry(s.rejected()[0].action.id).persisted`)
	a.eventually(`1`, `return s.query({type: "todo"}).length`)
}
