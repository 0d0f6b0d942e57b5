package protocol

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/tests/patience"
)

// A checkpoint that is stored late, when a newer one has forgotten what it began with, is offered to nobody, and brings no forgotten name back.
func TestALateCheckpoint(t *testing.T) {
	var mu sync.Mutex
	var late []func()
	a := newAPI(t, func(c *server.Config) {
		c.Auth, c.Engine = named{}, memory.New()
		c.CheckpointBytes = 1
		c.Retention = func(string) server.Retention { return server.Retention{Entries: 1} }
		c.Background = func(f func()) {
			mu.Lock()
			late = append(late, f)
			mu.Unlock()
		}
	})
	a.token = "ada"
	it := a.add(1, 1, 1, item{})
	for n := range 5 {
		it = a.add(1, n+2, 1, it)
	}
	if err := a.server.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.server.Forget(t.Context(), "ada", func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	all := late
	mu.Unlock()
	for _, f := range all {
		f()
	}
	a.token = "bob"
	got := a.turn(2, at(item{}))
	if got.Checkpoint == nil || got.Checkpoint.Index != 6 {
		t.Fatalf("%+v", got.Checkpoint)
	}
	if status, _, body := a.request(http.MethodGet, got.Checkpoint.URL, nil, nil); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	indexes, err := a.engine.Checkpoints(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range indexes {
		c, err := a.engine.Checkpoint(t.Context(), "s", index)
		if err != nil || strings.Contains(string(c.Owners), "ada") {
			t.Errorf("%d: %s, %v", index, c.Owners, err)
		}
	}
}

// Two actions of one id are no batch that somebody can judge by ids.
func TestAJudgeOfTwoActionsOfOneID(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.Judge = func(_ context.Context, b *server.Batch) ([]*action.Error, error) {
			return make([]*action.Error, len(b.Actions)), nil
		}
	})
	one := actionOf(1, 1, 0, creates(1))
	two := strings.Replace(actionOf(1, 2, 0, creates(2)), actionID(1, 2), actionID(1, 1), 1)
	if it := a.turn(1, `"after":0,"actions":[`+one+`,`+two+`]`); it.Error == nil || it.Error.Code != "malformed" || it.Head != 0 {
		t.Errorf("%+v", it)
	}
}

// keeping is an engine that says of an append that it failed, though it is there.
type keeping struct {
	engine.Engine
	fail chan bool
}

func (k keeping) Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	err := k.Engine.Append(ctx, stream, epoch, expect, entries)
	select {
	case <-k.fail:
		return errors.Join(err, errors.New("nobody heard of the commit"))
	default:
		return err
	}
}

// An entry whose append seemed to fail is heard all the same, by consumers and by those who wait.
func TestAnEntryThatSeemedToFail(t *testing.T) {
	fail := make(chan bool, 1)
	a := newAPI(t, func(c *server.Config) { c.Engine = keeping{memory.New(), fail} })
	heads := a.listen("/v1/events?stream=s", nil)
	heads.want("head", `{"head":0,"stream":"s"}`)
	var mu sync.Mutex
	n := 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go a.server.Consume(ctx, "c", "s", func(_ context.Context, c *server.Consumed) error {
		mu.Lock()
		defer mu.Unlock()
		n += len(c.Entries)
		return c.Err
	})
	it := a.add(1, 1, 1, item{})
	heads.want("head", `{"head":1,"stream":"s"}`)
	fail <- true
	if got := a.turn(1, at(it)+`,"actions":[`+actionOf(1, 2, 1, creates(2))+`]`); got.Error == nil {
		t.Errorf("%+v", got)
	}
	heads.want("head", `{"head":2,"stream":"s"}`)
	patience.True(t, "the second entry to be heard", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return n == 2
	})
}

// What has ended, and was not taken away yet, is no reason to ask for no quota; parts of an entry count together.
func TestQuotasOfWhatEndedAndOfParts(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAPI(t, func(c *server.Config) {
		c.Now = func() time.Time { return now }
		c.Auth = named{}
		c.Quota = func(server.Principal) server.Quota { return server.Quota{Data: 1000} }
	})
	a.token = "ada"
	header := map[string]string{"Content-Type": "text/plain", "Stream-TTL": "100"}
	if status, _, body := a.request(http.MethodPut, "/v1/data/d", []byte(strings.Repeat("x", 900)), header); status != 201 {
		t.Fatal(status, body)
	}
	now = now.Add(101 * time.Second)
	if status, _, body := a.request(http.MethodPut, "/v1/data/d", []byte(strings.Repeat("x", 900)), header); status != 507 {
		t.Errorf("%d %s", status, body)
	}
	if status, _, body := a.request(http.MethodPut, "/v1/data/d", nil, header); status != 201 {
		t.Errorf("%d %s", status, body)
	}
	b := newAPI(t, func(c *server.Config) {
		c.Auth = named{}
		c.Quota = func(server.Principal) server.Quota { return server.Quota{Data: 1000} }
	})
	b.token = "ada"
	b.request(http.MethodPut, "/v1/data/d", nil, map[string]string{"Content-Type": "text/plain"})
	for i, want := range []int{204, 507} {
		status, _, body := b.request(http.MethodPost, "/v1/data/d", []byte(strings.Repeat("x", 900)), producing(0, 0, "Content-Type", "text/plain", "Upload-Complete", "?0", "Upload-Offset", []string{"0", "900"}[i]))
		if status != want {
			t.Errorf("part %d: %d %s", i, status, body)
		}
	}
	// All that is on its way counts, of whichever producer; what begins anew takes the place of what was there.
	for i, want := range []int{507, 204} {
		of := producing(0, 0, "Content-Type", "text/plain", "Upload-Complete", "?0", "Upload-Offset", "0")
		if i == 0 {
			of["Producer-Id"] = "another"
		} else {
			of["Producer-Epoch"] = "1"
		}
		if status, _, body := b.request(http.MethodPost, "/v1/data/d", []byte(strings.Repeat("x", 900)), of); status != want {
			t.Errorf("beside it, %d: %d %s", i, status, body)
		}
	}
}
