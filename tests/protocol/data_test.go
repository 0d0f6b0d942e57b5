package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
)

// What the public suite of the Durable Streams Protocol does not know: entries with ids, entries in parts, the view of entries, caching, rights.

// framed is a body of several entries.
func framed(entries ...string) []byte {
	var b []byte
	for _, e := range entries {
		id := entryID(e)
		b = append(b, id[:]...)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
	}
	return b
}

// entryID is an id that tells the entry.
func entryID(e string) (id action.UUID) {
	copy(id[:], "entry")
	copy(id[5:], e)
	return id
}

// viewed are the entries of a page: each as its body, or its size where that was left out; and the offset behind the last one.
func viewed(t *testing.T, page string) (entries []string, last string) {
	t.Helper()
	for b := []byte(page); len(b) > 0; {
		size, inline, n := binary.BigEndian.Uint64(b[16:]), b[24] == 1, int(b[25])
		last, b = string(b[26:26+n]), b[26+n:]
		if !inline {
			entries = append(entries, fmt.Sprint(size))
			continue
		}
		entries, b = append(entries, string(b[:size])), b[size:]
	}
	return entries, last
}

const entriesKind = "application/vnd.strandline.entries"

func producing(epoch, seq int, more ...string) map[string]string {
	h := map[string]string{"Producer-Id": "p", "Producer-Epoch": fmt.Sprint(epoch), "Producer-Seq": fmt.Sprint(seq), "Content-Type": entriesKind}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

func TestEntriesWithIDs(t *testing.T) {
	a := newAPI(t, nil)
	const at = "/v1/data/s/1"
	put := func(kind string) {
		t.Helper()
		if status, _, body := a.request("PUT", at, nil, map[string]string{"Content-Type": kind}); status != 201 {
			t.Fatal(status, body)
		}
	}
	post := func(want int, code string, body []byte, h map[string]string) http.Header {
		t.Helper()
		status, head, text := a.request("POST", at, body, h)
		if status != want || code != "" && !strings.Contains(text, `"code":"`+code+`"`) {
			t.Fatalf("%d %s, want %d %s", status, text, want, code)
		}
		return head
	}
	put("application/json")
	post(200, "", framed(`{"a": 1}`, `2`), producing(0, 0))
	post(204, "", framed(`{"a": 1}`, `2`), producing(0, 0))
	// The same number with other entries is another writer's: nothing of it is taken for sent.
	post(403, "fenced", framed(`3`), producing(0, 0))
	// A producer that begins anew sends again what it does not know to be there.
	post(200, "", framed(`2`, `3`), producing(1, 0))
	h := post(409, "sequence", framed(`4`), producing(1, 2))
	if h.Get("Producer-Expected-Seq") != "1" || h.Get("Producer-Epoch") != "1" {
		t.Fatal(h)
	}
	h = post(403, "fenced", framed(`4`), producing(0, 5))
	if h.Get("Producer-Epoch") != "1" {
		t.Fatal(h)
	}
	for _, c := range []struct{ body, pointer string }{{string(framed(`4`, `{`)), "/1"}, {string(framed(`4`))[:18], "/0"}, {string(framed(`4`, ""))[:], "/1"}} {
		status, _, text := a.request("POST", at, []byte(c.body), producing(1, 1))
		if status != 400 || !strings.Contains(text, `"pointer":"`+c.pointer+`"`) {
			t.Errorf("%q: %d %s", c.body, status, text)
		}
	}
	if _, _, body := a.request("GET", at, nil, nil); body != `[{"a":1},2,3]` {
		t.Fatal(body)
	}
	// The view, by pages, from an offset, the last ones, and one.
	status, head, page := a.request("GET", at+"?view=entries&limit=2", nil, nil)
	entries, last := viewed(t, page)
	if status != 200 || fmt.Sprint(entries) != `[{"a":1} 2]` || head.Get("Stream-Next-Offset") != last || head.Get("Stream-Content-Type") != "application/json" || head.Get("Strandline-Head") != "3" || head.Get("Stream-Up-To-Date") != "" {
		t.Fatal(status, entries, head)
	}
	_, head, page = a.request("GET", at+"?view=entries&offset="+last, nil, nil)
	if entries, _ := viewed(t, page); fmt.Sprint(entries) != `[3]` || head.Get("Stream-Up-To-Date") != "true" || head.Get("Strandline-From") != last {
		t.Fatal(entries, head)
	}
	for n, want := range map[int]string{1: `[3]`, 2: `[2 3]`, 9: `[{"a":1} 2 3]`} {
		_, _, page = a.request("GET", fmt.Sprintf("%s?view=entries&last=%d", at, n), nil, nil)
		if entries, _ := viewed(t, page); fmt.Sprint(entries) != want {
			t.Errorf("last %d: %v", n, entries)
		}
	}
	if _, _, body := a.request("GET", at+"?entry="+entryID("2").String(), nil, nil); body != "2" {
		t.Fatal(body)
	}
	_, _, page = a.request("GET", at+"?view=entries&entry="+entryID("2").String(), nil, nil)
	if entries, _ := viewed(t, page); fmt.Sprint(entries) != `[2]` {
		t.Fatal(entries)
	}
	if status, _, _ := a.request("GET", at+"?entry="+entryID("9").String(), nil, nil); status != 404 {
		t.Fatal(status)
	}
	for _, query := range []string{"view=rows", "view=entries&live=sse&offset=-1", "limit=3", "view=entries&limit=0", "view=entries&last=x", "entry=x", "offset=", "offset=-1&offset=-1", "live=sse", "offset=zzz"} {
		if status, _, body := a.request("GET", at+"?"+query, nil, nil); status != 400 {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

func TestAnEntryInParts(t *testing.T) {
	a := newAPI(t, nil)
	const at = "/v1/data/files"
	a.request("PUT", at, nil, map[string]string{"Content-Type": "image/png"})
	whole := make([]byte, 3<<20)
	for i := range whole {
		whole[i] = byte(i * 7 >> 3)
	}
	id := entryID("whole").String()
	part := func(seq, from, to int, complete string) (int, http.Header, string) {
		return a.request("POST", at, whole[from:to], producing(0, seq, "Content-Type", "image/png", "Upload-Offset", fmt.Sprint(from), "Upload-Complete", complete, "Strandline-Entry", id))
	}
	if status, h, body := part(0, 0, 1<<20, "?0"); status != 204 || h.Get("Upload-Offset") != "1048576" || h.Get("Upload-Complete") != "?0" {
		t.Fatal(status, h, body)
	}
	// Nothing of it is to be seen.
	if _, h, body := a.request("GET", at, nil, nil); body != "" || h.Get("Stream-Up-To-Date") != "true" {
		t.Fatal(len(body), h)
	}
	// Again, or from somewhere else: it says where it goes on.
	for _, from := range []int{0, 5, 2 << 20} {
		if status, h, body := part(0, from, from+10, "?0"); status != 409 || h.Get("Upload-Offset") != "1048576" || !strings.Contains(body, `"sequence"`) {
			t.Fatal(status, h, body)
		}
	}
	// Another entry under the same number is another writer's.
	if status, _, body := a.request("POST", at, whole[1<<20:2<<20], producing(0, 0, "Content-Type", "image/png", "Upload-Offset", "1048576", "Upload-Complete", "?0", "Strandline-Entry", entryID("x").String())); status != 403 || !strings.Contains(body, "fenced") {
		t.Fatal(status, body)
	}
	part(0, 1<<20, 2<<20+100, "?0")
	if status, h, body := part(0, 2<<20+100, len(whole), "?1"); status != 200 || h.Get("Strandline-Head") != "1" {
		t.Fatal(status, h, body)
	}
	if status, _, _ := part(0, 2<<20+100, len(whole), "?1"); status != 204 {
		t.Fatal(status)
	}
	// Sent again under a new epoch it is the same one, at a place that the answer does not know.
	status, h, _ := a.request("POST", at, whole[:10], producing(1, 0, "Content-Type", "image/png", "Upload-Offset", "0", "Upload-Complete", "?1", "Strandline-Entry", id))
	if status != 200 || h.Get("Strandline-Head") != "" {
		t.Fatal(status, h)
	}
	// It is one entry, read in blocks that never change.
	var got []byte
	for offset, n := "-1", 0; ; n++ {
		_, h, body := a.request("GET", at+"?offset="+offset, nil, nil)
		got, offset = append(got, body...), h.Get("Stream-Next-Offset")
		immutable := strings.Contains(h.Get("Cache-Control"), "immutable")
		if want := n == 1; immutable != want {
			t.Errorf("block %d of %d bytes: %s", n, len(body), h.Get("Cache-Control"))
		}
		if h.Get("Stream-Up-To-Date") == "true" {
			break
		}
	}
	if !bytes.Equal(got, whole) {
		t.Fatalf("%d bytes of %d", len(got), len(whole))
	}
	// What a fork inherits is not kept for ever under the fork's name, which may be another fork's one day.
	_, h, _ = a.request("GET", at, nil, nil)
	first := h.Get("Stream-Next-Offset")
	a.request("PUT", "/v1/data/fork", nil, map[string]string{"Stream-Forked-From": "files"})
	if _, h, _ := a.request("GET", "/v1/data/fork?offset="+first, nil, nil); strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Fatal(h)
	}
	if entries, _ := viewed(t, func() string { _, _, page := a.request("GET", at+"?view=entries", nil, nil); return page }()); fmt.Sprint(entries) != fmt.Sprint([]int{len(whole)}) {
		t.Fatal(entries)
	}
	for _, h := range []map[string]string{
		{"Upload-Complete": "?2"}, {"Upload-Complete": "?0", "Upload-Offset": "-1"}, {"Strandline-Entry": "x"}, {"Producer-Id": ""},
	} {
		all := producing(0, 1, "Content-Type", "image/png", "Upload-Offset", "0")
		for k, v := range h {
			all[k] = v
		}
		if status, _, body := a.request("POST", at, []byte("x"), all); status != 400 {
			t.Errorf("%v: %d %s", h, status, body)
		}
	}
}

// A data stream's rights are those of its name; a producer belongs to its principal.
func TestRightsToDataStreams(t *testing.T) {
	rights := map[string]bool{}
	a := newAPI(t, func(c *server.Config) { c.Auth = byName{rights} })
	as := func(who string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + who, "Content-Type": "text/plain"}
	}
	rights["ann read s"], rights["ann append s"], rights["bob read s"] = true, true, true
	if status, _, _ := a.request("PUT", "/v1/data/s", []byte("x"), as("ann")); status != 201 {
		t.Fatal(status)
	}
	for _, c := range []struct {
		who, method, path string
		want              int
	}{
		{"bob", "GET", "/v1/data/s", 200}, {"bob", "POST", "/v1/data/s", 403}, {"bob", "PUT", "/v1/data/s", 403}, {"bob", "DELETE", "/v1/data/s", 403},
		{"ann", "DELETE", "/v1/data/s", 403}, {"eve", "GET", "/v1/data/s", 403}, {"eve", "HEAD", "/v1/data/s", 403}, {"eve", "GET", "/v1/data/none", 403},
		{"eve", "GET", "/v1/data/s?live=sse&offset=now", 403}, {"eve", "GET", "/v1/events?data=s", 403}, {"eve", "GET", "/v1/data/__ds/jwks.json", 404},
	} {
		if status, _, body := a.request(c.method, c.path, []byte("y"), as(c.who)); status != c.want {
			t.Errorf("%+v: %d %s", c, status, body)
		}
	}
	rights["eve append t"] = true
	h := as("eve")
	h["Stream-Forked-From"] = "s"
	if status, _, body := a.request("PUT", "/v1/data/t", nil, h); status != 403 {
		t.Errorf("a fork of what may not be read: %d %s", status, body)
	}
	rights["bob append s"] = true
	for i, who := range []string{"ann", "bob"} { // the same Producer-Id, without fencing one another
		h := as(who)
		h["Producer-Id"], h["Producer-Epoch"], h["Producer-Seq"] = "p", fmt.Sprint(7-i), "0"
		if status, _, body := a.request("POST", "/v1/data/s", []byte(who), h); status != 200 {
			t.Errorf("%s: %d %s", who, status, body)
		}
	}
}

// byName lets those in who name themselves, with the rights that a table gives them.
type byName struct{ rights map[string]bool }

func (byName) Authenticate(r *http.Request) (server.Principal, error) {
	return server.Principal{Subject: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}, nil
}

func (b byName) Allow(p server.Principal, stream string, right server.Right) bool {
	return b.rights[p.Subject+" "+string(right)+" "+stream]
}

// A clock that somebody sets forward ends nothing before its time.
func TestAClockThatJumps(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	steady := now
	a := newAPI(t, func(c *server.Config) {
		c.Now, c.Steady = func() time.Time { return now }, func() time.Time { return steady }
	})
	is := func(name string, want int) {
		t.Helper()
		if status, _, _ := a.request("HEAD", "/v1/data/"+name, nil, nil); status != want {
			t.Errorf("%s: %d, want %d", name, status, want)
		}
	}
	for name, header := range map[string]map[string]string{"a": {"Stream-TTL": "100"}, "b": {"Stream-Expires-At": "2026-11-24T01:00:00Z"}} {
		if status, _, body := a.request("PUT", "/v1/data/"+name, nil, header); status != 201 {
			t.Fatal(status, body)
		}
	}
	now = now.Add(365 * 24 * time.Hour)
	is("a", 200)
	is("b", 200)
	now = now.Add(-3 * 365 * 24 * time.Hour)
	is("a", 200)
	now, steady = time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC), steady.Add(3*365*24*time.Hour)
	is("a", 404)
	is("b", 404)
}

// Only who made a data stream, or may delete it, closes it for all.
func TestWhoMayClose(t *testing.T) {
	table := map[string]bool{}
	for _, right := range []string{"ada append", "ada read", "bob append", "bob read", "eve append", "eve delete", "eve read"} {
		table[right+" a"], table[right+" b"] = true, true
	}
	a := newAPI(t, func(c *server.Config) { c.Auth = byName{table} })
	closing := map[string]string{"Content-Type": "text/plain", "Stream-Closed": "true"}
	a.token = "ada"
	for _, name := range []string{"a", "b"} {
		if status, _, body := a.request("PUT", "/v1/data/"+name, nil, map[string]string{"Content-Type": "text/plain"}); status != 201 {
			t.Fatal(status, body)
		}
	}
	for i, c := range []struct {
		who, stream string
		want        int
	}{{"bob", "a", 403}, {"ada", "a", 204}, {"bob", "a", 204}, {"eve", "b", 204}} {
		a.token = c.who
		if status, _, body := a.request("POST", "/v1/data/"+c.stream, nil, closing); status != c.want {
			t.Errorf("%d: %d %s", i, status, body)
		}
	}
}

// An idle stream ends when its time is over, also where the server was started anew meanwhile; one that is read goes on.
func TestTimeToLive(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var engine engine.Engine
	first := newAPI(t, func(c *server.Config) {
		engine = c.Engine
		c.Now = func() time.Time { return now }
		c.Background = func(f func()) { f() }
	})
	ttl := map[string]string{"Content-Type": "text/plain", "Stream-TTL": "100"}
	for _, name := range []string{"read", "idle"} {
		if status, _, _ := first.request("PUT", "/v1/data/"+name, []byte("x"), ttl); status != 201 {
			t.Fatal(status)
		}
	}
	is := func(a *api, name string, want int) {
		t.Helper()
		if status, _, _ := a.request("HEAD", "/v1/data/"+name, nil, nil); status != want {
			t.Errorf("%s: %d, want %d", name, status, want)
		}
	}
	now = now.Add(90 * time.Second)
	first.request("GET", "/v1/data/read", nil, nil)
	now = now.Add(15 * time.Second)
	is(first, "idle", 404)
	is(first, "read", 200)
	// Another server over the same engine knows of the read.
	second := newAPI(t, func(c *server.Config) {
		c.Engine = engine
		c.Now = func() time.Time { return now }
	})
	now = now.Add(84 * time.Second)
	is(second, "read", 200)
	now = now.Add(20 * time.Second)
	is(second, "read", 404)
	// A read that came too soon after the last one to be noted counts after a start too.
	if status, _, _ := first.request("PUT", "/v1/data/soon", nil, ttl); status != 201 {
		t.Fatal(status)
	}
	now = now.Add(9 * time.Second)
	first.request("GET", "/v1/data/soon", nil, nil)
	third := newAPI(t, func(c *server.Config) {
		c.Engine = engine
		c.Now = func() time.Time { return now }
	})
	now = now.Add(99 * time.Second)
	is(third, "soon", 200)
	// The name is free.
	if status, _, _ := second.request("PUT", "/v1/data/read", nil, map[string]string{"Content-Type": "application/json"}); status != 201 {
		t.Error(status)
	}
}

// Events tell of the ends of data streams, whether they are there or not.
func TestEventsOfDataStreams(t *testing.T) {
	a := newAPI(t, nil)
	events := a.listen("/v1/events?data=s", nil)
	events.want("data", `{"data":"s","offset":""}`)
	_, h, _ := a.request("PUT", "/v1/data/s", []byte("x"), map[string]string{"Content-Type": "text/plain"})
	events.want("data", `{"data":"s","offset":"`+h.Get("Stream-Next-Offset")+`"}`)
	_, h, _ = a.request("POST", "/v1/data/s", []byte("y"), map[string]string{"Content-Type": "text/plain"})
	events.want("data", `{"data":"s","offset":"`+h.Get("Stream-Next-Offset")+`"}`)
	a.request("DELETE", "/v1/data/s", nil, nil)
	events.want("data", `{"data":"s","offset":""}`)
}

// A stream in the place of a deleted one has offsets of its own: an old one is refused, whatever a cache has kept of it.
func TestOffsetsOfADeletedStream(t *testing.T) {
	a := newAPI(t, nil)
	text := map[string]string{"Content-Type": "text/plain"}
	_, was, _ := a.request("PUT", "/v1/data/s", []byte("one"), text)
	a.request("DELETE", "/v1/data/s", nil, nil)
	_, is, _ := a.request("PUT", "/v1/data/s", []byte("two"), text)
	if was.Get("Stream-Next-Offset") >= is.Get("Stream-Next-Offset") {
		t.Fatal("the offsets do not rise")
	}
	if status, _, body := a.request("GET", "/v1/data/s?offset="+was.Get("Stream-Next-Offset"), nil, nil); status != 410 || !strings.Contains(body, `"gone"`) {
		t.Fatal(status, body)
	}
}
