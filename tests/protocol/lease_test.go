package protocol

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
)

// A lock ends when its holder is not heard of for as long as a lease is, also where the server forgets and folds the log anew meanwhile.
func TestALeaseEndsThoughTheFoldIsMadeAnew(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	a := newAPI(t, func(c *server.Config) {
		c.IdleStream = 20 * time.Millisecond
		c.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
	})
	one := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, `[{"op":"create","object":"`+objectID(1)+`","type":"t","fields":{},"lock":true}]`)+`]`)
	for i := range 5 {
		mu.Lock()
		now = now.Add(4 * time.Minute)
		mu.Unlock()
		time.Sleep(60 * time.Millisecond) // the janitor passes
		it := a.turn(2, at(one))
		if unlocked := len(it.Entries) == 1 && strings.Contains(string(it.Entries[0].Action), "unlock"); unlocked != (i >= 2) {
			t.Fatalf("after %d minutes: %+v", 4*(i+1), it)
		}
	}
}

// The time is kept with the checkpoint where the entry that tells it is forgotten (S12).
func TestALeaseEndsThoughItsEntryIsForgotten(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	var config server.Config
	a := newAPI(t, func(c *server.Config) {
		c.CheckpointBytes, c.Keep = 2000, 3
		c.Background = func(f func()) { f() }
		c.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		config = *c
	})
	last := a.add(1, 1, 1, item{})
	last = a.turn(1, at(last)+`,"actions":[`+actionOf(1, 2, 0, `[{"op":"create","object":"`+objectID(900)+`","type":"t","fields":{},"lock":true}]`)+`]`)
	last = a.add(2, 100, 60, last)
	for range 5 { // each time the fold is another one
		mu.Lock()
		now = now.Add(4 * time.Minute)
		mu.Unlock()
		a = newAPI(t, func(c *server.Config) { *c = config })
		if it := a.turn(3, at(last)); len(it.Entries) == 1 && strings.Contains(string(it.Entries[0].Action), "unlock") {
			return
		}
	}
	t.Fatal("it never ends")
}

// Who may not append may drain in vain, and go on reading.
func TestADrainOfAReaderIsIgnored(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.Auth = readers{c.Auth} })
	if it := a.turn(1, `"after":0,"drain":true`); it.Error != nil || it.Head != 0 {
		t.Fatalf("%+v", it)
	}
}

type readers struct{ server.Auth }

func (readers) Allow(_ server.Principal, _ string, right server.Right) bool {
	return right == server.Read
}

// A hook that runs out of time decides nothing, and a nil *action.Error is no refusal.
func TestHooksThatAreNoVerdicts(t *testing.T) {
	var answer error
	a := newAPI(t, func(c *server.Config) {
		c.Validate = func(context.Context, *server.Judged) error { return answer }
	})
	offer := `"after":0,"actions":[` + actionOf(1, 1, 0, creates(1)) + `]`
	answer = fmt.Errorf("ask the database: %w", context.DeadlineExceeded)
	if it := a.turn(1, offer); it.Error == nil || it.Error.Code != action.CodeUnavailable || len(it.Rejected) > 0 {
		t.Fatalf("%+v", it)
	}
	answer = (*action.Error)(nil)
	if it := a.turn(1, offer); it.Head != 1 || len(it.Rejected) > 0 {
		t.Fatalf("%+v", it)
	}
}
