package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/server"
)

// What a principal is over its quota with is refused with words, and costs the others nothing; what makes nothing larger is taken where it is about the state.
func TestQuotas(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAPI(t, func(c *server.Config) {
		c.Auth = named{}
		c.Now = func() time.Time { return now }
		c.Quota = func(p server.Principal) server.Quota {
			return map[string]server.Quota{"few": {Streams: 2}, "small": {Bytes: 800, Data: 10}, "flat": {State: 400}, "slow": {Work: 1}}[p.Subject]
		}
	})
	client := 0
	offer := func(who, stream string, it item, seqs ...int) item {
		a.token = who
		var all []string
		for _, seq := range seqs {
			all = append(all, actionOf(client, seq, it.Head, creates(seq)))
		}
		return a.sync(`{"streams":[{"stream":"` + who + `/` + stream + `","client":"` + clientID(client) + `",` + at(it) + `,"actions":[` + strings.Join(all, ",") + `]}]}`)[0]
	}
	told := func(it item) string {
		if it.Error != nil {
			return it.Error.Code
		}
		return fmt.Sprintf("%d persisted, %v", len(it.Persisted), it.Rejected)
	}
	want := func(it item, want string) {
		t.Helper()
		if got := told(it); got != want && !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// Streams.
	client = 1
	one := offer("few", "a", item{}, 1)
	want(one, "1 persisted, []")
	want(offer("few", "b", item{}, 2), "1 persisted, []")
	want(offer("few", "c", item{}, 3), "0 persisted, [{"+actionID(1, 3)+" quota you are at your limit of 2 streams}]")
	want(offer("few", "a", one, 4), "1 persisted, []")
	if status, _, body := a.request(http.MethodPut, "/v1/data/few/d", nil, nil); status != 507 || !strings.Contains(body, `"quota"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := a.request(http.MethodDelete, "/v1/log?stream=few/b", nil, nil); status != 204 {
		t.Error(status)
	}
	if status, _, body := a.request(http.MethodPut, "/v1/data/few/d", nil, nil); status != 201 {
		t.Errorf("%d %s", status, body)
	}
	if status, _, body := a.request(http.MethodPut, "/v1/data/few/d", nil, nil); status != 200 { // it is there
		t.Errorf("%d %s", status, body)
	}
	want(offer("few", "e", item{}, 5), "0 persisted, [{"+actionID(1, 5)+" quota")
	// Bytes: in one request and over several.
	client = 2
	it := offer("small", "a", item{}, 1, 2, 3, 4, 5)
	if n := len(it.Persisted); n < 2 || n > 4 || len(it.Rejected) != 5-n || it.Rejected[0].Code != "quota" {
		t.Errorf("%+v", it)
	}
	want(offer("small", "b", item{}, 9), "0 persisted, [{"+actionID(2, 9)+" quota you are at your limit of 800 bytes of actions}]")
	for i, c := range []struct {
		body   string
		status int
	}{{"12345", 201}, {"123456", 507}, {"12345", 204}, {"1", 507}} {
		method := map[bool]string{true: http.MethodPut, false: http.MethodPost}[i == 0]
		if status, _, body := a.request(method, "/v1/data/small/d", []byte(c.body), map[string]string{"Content-Type": "text/plain"}); status != c.status {
			t.Errorf("%d: %d %s", i, status, body)
		}
	}
	// A stream's state: what makes it smaller is taken.
	client = 3
	it = offer("flat", "a", item{}, 1, 2, 3, 4, 5, 6)
	if n := len(it.Persisted); n == 0 || n == 6 || it.Rejected[0].Code != "quota" {
		t.Errorf("%+v", it)
	}
	removed := a.sync(`{"streams":[{"stream":"flat/a","client":"` + clientID(3) + `",` + at(it) + `,"actions":[` + actionOf(3, 9, it.Head, `[{"op":"remove","object":"`+objectID(1)+`"}]`) + `]}]}`)[0]
	want(removed, "1 persisted, []")
	// Work: what is over it is asked for again, and others go on.
	client = 4
	it = item{}
	for seq, over := 1, false; !over; seq++ {
		big := `[{"op":"create","object":"` + objectID(seq) + `","type":"t","fields":{"x":"` + strings.Repeat("x", 200<<10) + `"}}]`
		a.token = "slow"
		got := a.sync(`{"streams":[{"stream":"slow/a","client":"` + clientID(4) + `",` + at(it) + `,"actions":[` + actionOf(4, seq, it.Head, big) + `]}]}`)[0]
		if got.Error != nil {
			want(got, "rate-limited")
			over = true
		} else {
			it = got
		}
		if seq > 100 {
			t.Fatal("there is no limit")
		}
	}
	client = 5
	want(offer("other", "a", item{}, 1), "1 persisted, []")
	now = now.Add(time.Second * 300_000)
	client = 4
	want(offer("slow", "a", it, 200), "1 persisted, []")
}

// named lets everybody do everything, under the name that is the token.
type named struct{}

func (named) Authenticate(r *http.Request) (server.Principal, error) {
	return server.Principal{Subject: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}, nil
}
func (named) Allow(server.Principal, string, server.Right) bool { return true }

// While the operator's disk has no room nothing is taken, and reading goes on.
func TestNothingIsTaken(t *testing.T) {
	var full atomic.Bool
	a := newAPI(t, func(c *server.Config) {
		c.Writable = func() error {
			if full.Load() {
				return errors.New("the disk is nearly full")
			}
			return nil
		}
	})
	it := a.turn(1, at(item{})+`,"actions":[`+actionOf(1, 1, 0, creates(1))+`]`)
	if status, _, _ := a.request(http.MethodPut, "/v1/data/d", []byte("x"), map[string]string{"Content-Type": "text/plain"}); status != 201 {
		t.Fatal(status)
	}
	full.Store(true)
	no := a.turn(1, at(it)+`,"actions":[`+actionOf(1, 2, 1, creates(2))+`]`)
	if no.Error == nil || no.Error.Code != "unavailable" || no.Error.Message != "the disk is nearly full" {
		t.Errorf("%+v", no)
	}
	if got := a.turn(2, at(item{})); got.Error != nil || len(got.Entries) != 1 {
		t.Errorf("%+v", got)
	}
	for method, path := range map[string]string{http.MethodPost: "/v1/data/d", http.MethodPut: "/v1/data/e"} {
		if status, _, body := a.request(method, path, []byte("x"), map[string]string{"Content-Type": "text/plain"}); status != 503 || !strings.Contains(body, "nearly full") {
			t.Errorf("%d %s", status, body)
		}
	}
	if status, _, body := a.request(http.MethodGet, "/v1/data/d", nil, nil); status != 200 || body != "x" {
		t.Errorf("%d %s", status, body)
	}
	full.Store(false)
	if it := a.turn(1, at(it)+`,"actions":[`+actionOf(1, 2, 1, creates(2))+`]`); len(it.Persisted) != 1 {
		t.Errorf("%+v", it)
	}
}

// Old entries are forgotten where the operator says so, also of a log that nobody writes, and the state stays.
func TestRetention(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAPI(t, func(c *server.Config) {
		c.Now = func() time.Time { return now }
		c.Retention = func(stream string) server.Retention {
			return map[string]server.Retention{"s": {Age: 10 * 24 * time.Hour}, "few": {Entries: 2}}[stream]
		}
		c.CheckpointBytes = -1
	})
	oldest := func(stream string) uint64 {
		t.Helper()
		log, err := a.engine.Log(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		return log.Oldest
	}
	it := item{}
	for day := range 30 {
		it = a.turn(1, at(it)+`,"actions":[`+actionOf(1, day+1, it.Head, creates(day))+`]`)
		now = now.Add(24 * time.Hour)
	}
	for _, stream := range []string{"few", "all"} {
		items := a.sync(`{"streams":[{"stream":"` + stream + `","client":"` + clientID(2) + `","after":0,"actions":[` + actionOf(2, 1, 0, creates(1)) + `,` + actionOf(2, 2, 0, creates(2)) + `,` + actionOf(2, 3, 0, creates(3)) + `]}]}`)
		if len(items[0].Persisted) != 3 {
			t.Fatalf("%+v", items)
		}
	}
	for range 2 { // again: nothing is left to do
		if err := a.server.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := [3]uint64{oldest("s"), oldest("few"), oldest("all")}; got != [3]uint64{21, 2, 1} {
			t.Errorf("%v", got)
		}
	}
	now = now.Add(5 * 24 * time.Hour)
	if err := a.server.Retain(t.Context()); err != nil || oldest("s") != 26 {
		t.Errorf("%d, %v", oldest("s"), err)
	}
	now = now.Add(500 * 24 * time.Hour)
	if err := a.server.Retain(t.Context()); err != nil || oldest("s") != 30 {
		t.Errorf("%d, %v", oldest("s"), err)
	}
	fresh := a.turn(3, `"after":0`)
	if fresh.Checkpoint == nil || fresh.Checkpoint.Index != 30 {
		t.Fatalf("%+v", fresh)
	}
	_, _, text := a.request(http.MethodGet, fresh.Checkpoint.URL, nil, nil)
	if n := strings.Count(text, `"fields":`); n != 30 {
		t.Errorf("%d objects:\n%s", n, text)
	}
}
