package protocol

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

func TestCheckpoints(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.CheckpointBytes, c.Keep = 2000, 3
		c.Background = func(f func()) { f() }
	})
	it := a.add(1, 1, 60, item{})
	// A new client is offered one, beside the entries where they are kept.
	fresh := a.turn(2, `"after":0`)
	c := fresh.Checkpoint
	if c == nil || c.Epoch != it.Epoch || c.Index == 0 || c.Index > 60 || len(fresh.Entries) > 0 {
		t.Fatalf("%+v", fresh)
	}
	status, h, text := a.request(http.MethodGet, c.URL, nil, nil)
	sum := sha256.Sum256([]byte(text))
	if status != 200 || len(text) != c.Bytes || hex.EncodeToString(sum[:]) != c.SHA256 {
		t.Fatalf("%d, %d bytes of %d: %.300s", status, len(text), c.Bytes, text)
	}
	if h.Get("Cache-Control") != "private, max-age=31536000, immutable" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Authorization") {
		t.Errorf("%v", h)
	}
	if _, h, _ := a.request(http.MethodGet, c.URL, nil, map[string]string{"Accept-Encoding": "gzip"}); h.Get("Content-Encoding") != "gzip" {
		t.Errorf("not packed: %v", h)
	}
	// It can be had from any byte on: a line that broke goes on.
	for _, from := range []int{1, len(text) / 2, len(text)} {
		for _, packing := range []string{"identity", "gzip"} {
			status, h, rest := a.request(http.MethodGet, fmt.Sprintf("%s&from=%d", c.URL, from), nil, map[string]string{"Accept-Encoding": packing})
			if h.Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(strings.NewReader(rest))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				rest = string(b)
			} else if packing == "gzip" {
				t.Error("not packed")
			}
			if status != 200 || rest != text[from:] {
				t.Errorf("from %d: %d, %d bytes of %d", from, status, len(rest), len(text))
			}
		}
	}
	for from, want := range map[string]int{"x": 400, "-1": 400, fmt.Sprint(len(text) + 1): 400} {
		if status, _, body := a.request(http.MethodGet, c.URL+"&from="+from, nil, nil); status != want || !strings.Contains(body, `"pointer":"/from"`) {
			t.Errorf("from %s: %d %s", from, status, body)
		}
	}
	// It is what the log folds to, and leads on into the entries.
	name, folded, err := state.ReadCheckpoint(text)
	if err != nil || name != "s" || folded.Head != c.Index || folded.Chain.String() != c.Chain {
		t.Fatalf("%s %v", name, err)
	}
	next := a.turn(2, fmt.Sprintf(`"after":%d,"epoch":"%s","chain":"%s"`, c.Index, c.Epoch, c.Chain))
	for _, e := range next.Entries {
		act, err := action.DecodeAction(string(e.Action))
		if err != nil {
			t.Fatal(err)
		}
		folded.ApplyEntry(act, nil, nil)
	}
	if folded.Head != 60 || folded.Chain.String() != it.Chain || folded.Len() != 60 {
		t.Fatalf("head %d, chain %s, %d objects", folded.Head, folded.Chain, folded.Len())
	}
	// Behind what is kept, there is the checkpoint and no entry; the epoch tells which log it is, where the chain is not kept.
	old := `"after":5,"epoch":"%s","chain":"0123456789abcdef"`
	if got := a.turn(2, fmt.Sprintf(old, it.Epoch)); got.Error != nil || got.Checkpoint == nil || len(got.Entries) > 0 || got.Head != 60 {
		t.Errorf("%+v", got)
	}
	if got := a.turn(2, fmt.Sprintf(old, clientID(7))); got.Error == nil || got.Error.Code != "epoch" {
		t.Errorf("another epoch: %+v", got)
	}
	if got := a.get("/v1/log?stream=s&after=5"); got.Checkpoint == nil || len(got.Entries) > 0 {
		t.Errorf("%+v", got)
	}
	e := a.listen("/v1/log?stream=s&after=5", nil)
	e.want("checkpoint", fmt.Sprintf(`"index":%d`, got(t, a).Index))
	if ev, _ := e.next(); ev["event"] != "entry" || ev["id"] != fmt.Sprint(got(t, a).Index+1) {
		t.Errorf("%v", ev)
	}
	for path, want := range map[string]int{"/v1/checkpoint": 400, "/v1/checkpoint?stream=s": 400, "/v1/checkpoint?stream=s&index=5&epoch=x": 400,
		"/v1/checkpoint?stream=s&index=0&epoch=" + it.Epoch: 400, "/v1/checkpoint?stream=s&index=7777&epoch=" + it.Epoch: 403,
		fmt.Sprintf("/v1/checkpoint?stream=s&index=%d&epoch=%s&sha256=%064x", c.Index, c.Epoch, 7): 403,
		fmt.Sprintf("/v1/checkpoint?stream=s&index=%d&epoch=%s", c.Index, clientID(3)):             403} {
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func got(t *testing.T, a *api) *offer {
	t.Helper()
	return a.turn(3, `"after":0`).Checkpoint
}

// A client id stays its principal's, though the entries that told are forgotten and the server was started again.
func TestOwnersOutliveTheirEntries(t *testing.T) {
	var config server.Config
	a := newAPI(t, func(c *server.Config) {
		c.CheckpointBytes, c.Keep = 2000, 3
		c.Background = func(f func()) { f() }
		c.Auth = roles{"one": {server.Read: true, server.Append: true}, "two": {server.Read: true, server.Append: true}}
		config = *c
	})
	a.token = "one"
	first := a.add(1, 1, 1, item{})
	a.add(2, 100, 60, first)
	next := newAPI(t, func(c *server.Config) { *c = config })
	next.token = "two"
	if got := next.turn(1, `"after":0`); got.Error == nil || got.Error.Code != "client" {
		t.Fatalf("%+v", got)
	}
	next.token = "one"
	if got := next.turn(1, `"after":0`); got.Error != nil || got.Checkpoint == nil {
		t.Fatalf("%+v", got)
	}
}

// A stored checkpoint that was damaged is not served, and not folded: the one before it is, or the log where it is whole.
func TestADamagedCheckpoint(t *testing.T) {
	for _, keep := range []uint64{0, 3} {
		engine := memory.New()
		config := server.Config{Engine: engine, CheckpointBytes: 2000, Keep: keep, Background: func(f func()) { f() }, Auth: server.None()}
		a := newAPI(t, func(c *server.Config) { log := c.Log; *c = config; c.Log = log })
		a.add(1, 1, 60, item{})
		c, err := engine.Checkpoint(t.Context(), "s", 0)
		if err != nil || c == nil {
			t.Fatal(err)
		}
		c.Packed[len(c.Packed)/2] ^= 1
		next := newAPI(t, func(c *server.Config) { log := c.Log; *c = config; c.Log = log })
		got := next.turn(2, `"after":0`)
		if got.Error != nil || keep == 0 && len(got.Entries) != 60 || keep > 0 && (got.Checkpoint == nil || got.Checkpoint.Index >= c.Index) {
			t.Errorf("keep %d: %+v", keep, got)
		}
		for _, packing := range []string{"identity", "gzip"} {
			if status, _, _ := next.request(http.MethodGet, fmt.Sprintf("/v1/checkpoint?stream=s&index=%d&epoch=%s", c.Index, c.Epoch), nil, map[string]string{"Accept-Encoding": packing}); status != 503 {
				t.Errorf("it is served with %d as %s", status, packing)
			}
		}
		if keep == 0 {
			continue
		}
		before, err := engine.Checkpoint(t.Context(), "s", got.Checkpoint.Index)
		if err != nil || before == nil {
			t.Fatal(err)
		}
		before.Packed[len(before.Packed)/2] ^= 1
		if got := newAPI(t, func(c *server.Config) { log := c.Log; *c = config; c.Log = log }).turn(2, `"after":0`); got.Error == nil || got.Error.Code != "unavailable" {
			t.Errorf("without any: %+v", got)
		}
	}
}

// Who has lost twice holds the stream for its next request: the appends of others wait for that, and no longer than two seconds.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server.New(server.Config{Engine: memory.New(), Auth: server.None()})
		defer s.Close()
		send := func(client int, rest string) item {
			text, err := s.Sync(t.Context(), server.Principal{}, `{"streams":[{"stream":"s","client":"`+clientID(client)+`",`+rest+`}]}`)
			if err != nil {
				t.Error(err)
				return item{}
			}
			var r struct{ Streams []item }
			if err := json.Unmarshal(text, &r); err != nil {
				t.Error(err)
			}
			return r.Streams[0]
		}
		one := func(client, seq int) string {
			return `,"actions":[` + actionOf(client, seq, 0, creates(100*client+seq)) + `]`
		}
		it := send(1, `"after":0`+one(1, 1))
		// Client 2 loses twice; the second answer gives it the turn.
		if got := send(2, `"after":0`+one(2, 1)); got.Turn != 0 || len(got.Entries) != 1 {
			t.Fatalf("%+v", got)
		}
		behind := it
		it = send(1, at(it)+one(1, 2))
		lost := send(2, at(behind)+one(2, 1))
		if lost.Turn <= 0 || lost.Turn > 2000 {
			t.Fatalf("%+v", lost)
		}
		// Meanwhile client 1 waits, though not to read.
		if got := send(1, at(it)); got.Error != nil {
			t.Fatalf("%+v", got)
		}
		begun, done := time.Now(), make(chan item)
		go func() { done <- send(1, at(it)+one(1, 3)) }()
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		won := send(2, at(lost)+one(2, 1))
		if len(won.Persisted) != 1 || won.Persisted[0].Index != 3 {
			t.Fatalf("%+v", won)
		}
		if got := <-done; len(got.Entries) != 1 || time.Since(begun) != 500*time.Millisecond {
			t.Fatalf("after %v: %+v", time.Since(begun), got)
		}
		// No second turn within ten seconds.
		for range 3 {
			behind, it = it, send(1, at(send(1, `"after":0`))+one(1, 4))
			if got := send(2, at(behind)+one(2, 2)); got.Turn != 0 {
				t.Fatalf("%+v", got)
			}
			_ = it
		}
		time.Sleep(11 * time.Second)
		lost = send(2, at(behind)+one(2, 2))
		if lost.Turn == 0 {
			t.Fatalf("%+v", lost)
		}
		// A holder that says nothing more holds up nobody for ever.
		begun = time.Now()
		if got := send(1, at(lost)+one(1, 9)); len(got.Persisted) != 1 || time.Since(begun) != 2*time.Second {
			t.Fatalf("after %v: %+v", time.Since(begun), got)
		}
	})
}
