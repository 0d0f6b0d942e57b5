package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/tests/patience"
)

// What one browser writes reaches another at once, over one connection per profile, also after the server was gone.
func TestPush(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const slow = `{timers: {idle: 600000, retry: 300}}`
	all := tabs(openBrowser(t, t.TempDir()), s.url, 3, slow)
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.start(slow)
	patience.True(t, "one connection of each profile", func() bool { return s.listeners() == 2 })
	write := func(title string) {
		t.Helper()
		began := time.Now()
		all[2].do(`await s.create("todo", {title: %q})`, title)
		other.eventually(`true`, `return titles().includes(%q)`, title)
		t.Logf("%s: after %v", title, time.Since(began).Round(time.Millisecond))
	}
	write("one")
	other.do(`await s.create("todo", {title: "back"})`)
	all[1].eventually(`["back","one"]`, `return titles()`)

	s.kill()
	s.start()
	patience.True(t, "the connections again", func() bool { return s.listeners() == 2 })
	write("two")

	all[0].do(`await db.close()`)
	patience.True(t, "the next leader's", func() bool { return s.listeners() == 2 })
	write("three")
	other.want(`true`, `return db.trace().some((turn) => turn.because.includes("news") && turn.fetched > 0)`)
	other.do(`await db.close()`)
	patience.True(t, "the end of one", func() bool { return s.listeners() == 1 })
}

// fill appends n tasks to a stream with the command line.
func (s *site) fill(stream string, n int) {
	s.t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"op":"create","object":"018f0000-0000-7000-8000-%012x","type":"todo","fields":{"title":"t%d","n":%d,"text":%q}}`+"\n", i, i, i, strings.Repeat("x", 100))
	}
	cmd := exec.Command(serverBin, "append", s.url, stream)
	cmd.Stdin, cmd.Stderr = strings.NewReader(lines.String()), os.Stderr
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("append: %v", err)
	}
}

// A new profile with writes of its own gets a long log as a checkpoint under them, since the entries are pruned; so does the tab beside
// it; and one that was away for as long.
func TestFirstSyncByACheckpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--checkpoints", "20000", "--keep", "10")
	away := openBrowser(t, t.TempDir()).open(s.url)
	away.start("")
	away.do(`await s.create("todo", {title: "early"}); await s.settled()`)
	away.offline(true)
	away.do(`window.w = s.update(s.query()[0].id, {title: "while away"}); await w`)
	s.fill("lists/1", 3000)
	if text := s.logAfter("lists/1", 1); !strings.Contains(text, `"checkpoint":{`) || strings.Contains(text, `"title":"t0"`) {
		t.Fatalf("the entries are not pruned: %.300s", text)
	}
	away.want(`1`, `return s.count()`)

	cut := func(w http.ResponseWriter, _ *http.Request, _ func() *http.Response) bool { hangUp(w); return true }
	s.setFault(cut)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url+"/classic.html"), b.open(s.url)
	one.start("")
	two.start("")
	one.do(`window.w = s.create("todo", {title: "mine"}); await w`)
	two.do(`window.w = s.create("todo", {title: "ours"}); await w`)

	// one that breaks off, one that is another, and one that is not JSON change nothing
	for _, change := range []func(string) string{
		func(text string) string { return text[:len(text)/2] },
		func(text string) string { return strings.Replace(text, `"title":"t1"`, `"title":"t2"`, 1) },
		func(text string) string { return "<html>" + text },
	} {
		asked := make(chan bool, 1000)
		s.setFaultAt("/v1/checkpoint", func(w http.ResponseWriter, _ *http.Request, forward func() *http.Response) bool {
			resp := forward()
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
			io.WriteString(w, change(string(text)))
			asked <- true
			return true
		})
		<-asked
		one.eventually(`"bad-answer"`, `return s.status.error?.code`)
		one.want(`[2,2]`, `return [s.count(), s.pending().length]`)
		s.setFault(cut)
	}
	s.setFault(nil)
	away.offline(false)
	for _, tb := range []*tab{one, two, away} {
		tb.do(`await w.persisted; await s.settled()`)
		tb.eventually(`[3003,["mine","ours","while away"]]`, `return [s.count(), titles().filter((t) => !/^t\d/.test(t))]`)
		tb.want(`"t7"`, `return s.get("018f0000-0000-7000-8000-000000000007").title`)
	}
	two.reload()
	two.start("")
	two.want(`3003`, `return s.count()`)
}
