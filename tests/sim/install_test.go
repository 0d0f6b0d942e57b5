package sim

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/queue"
)

// prunedWorld has a server that forgets what its checkpoints stand for.
func prunedWorld(t *testing.T, seed uint64) *world {
	w := newWorld(t, seed)
	w.checkpoint, w.keep = 4000, 5
	w.start()
	return w
}

func (w *world) oldest() uint64 {
	log, err := w.engine.Log(w.t.Context(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	return log.Oldest
}

// fill makes n objects, numbered from from on, in as many actions.
func fill(tb *tab, from, n int) {
	for i := range n {
		tb.write(create(from+i, fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("x", 100))))
		if i%10 == 9 {
			tb.w.Run(1000)
		}
	}
	tb.w.Run(2 * minute)
}

func TestANewClientInstallsACheckpoint(t *testing.T) {
	w := prunedWorld(t, 1)
	a := w.open(memstore.New())
	fill(a, 1, 300)
	if w.oldest() < 20 {
		t.Fatalf("the log is kept from %d on", w.oldest())
	}
	w.Latency = latency(10)
	local := memstore.New()
	b := w.openAsync(local)
	w.Run(30)
	mine := b.write(create(1000, `{"mine":1}`)) // while it is on its way
	b.write(set(1000, `{"mine":2}`))
	w.Run(2 * minute)
	w.converged(a, b)
	if b.resolved[mine] == 0 {
		t.Fatal("what was written meanwhile is not persisted")
	}
	if records, _ := local.Size(stream); records > 10 {
		t.Fatalf("%d records: it came by the entries", records)
	}
	// What was installed is what a reload finds.
	b.kill()
	w.Run(100)
	c := w.open(local)
	if c.State().Head < 300 {
		t.Fatalf("head %d after a reload", c.State().Head)
	}
	w.Run(2 * minute)
	w.converged(a, c)
}

// A client that is behind what is kept has pending actions, of which the server took some unheard.
func TestAClientBehindThePrunedPrefix(t *testing.T) {
	w := prunedWorld(t, 2)
	a, local := w.open(memstore.New()), memstore.New()
	b, follower := w.open(local), w.open(local)
	b.write(create(500, `{"n":0}`))
	w.Run(2 * minute)
	unheard := true
	b.net.fault = func(int) fate {
		if unheard {
			unheard = false
			return lostAfter
		}
		return lostBefore
	}
	follower.net.fault = func(int) fate { return lostBefore }
	var taken []uint64 // both in one commit, and one request
	for _, ops := range []string{set(500, `{"n":1}`), create(501, `{}`)} {
		ticket, err := b.Write(&queue.Draft{ID: b.host.NewID(), At: w.Now(), Ops: ops})
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, ticket)
	}
	b.Pump()
	w.Run(1000)
	if unheard {
		t.Fatal("nothing was sent")
	}
	b.write(set(500, `{"n":2}`))
	follower.write(create(502, `{}`))
	fill(a, 1, 300)
	if w.oldest() < 20 {
		t.Fatalf("the log is kept from %d on", w.oldest())
	}
	if n := b.Status().Pending; n < 3 {
		t.Fatalf("%d pending", n)
	}
	b.net.fault, follower.net.fault = nil, nil
	b.db.Wake("online")
	w.Run(3 * minute)
	follower.Refresh()
	w.Run(minute)
	w.converged(a, b, follower)
	for i, ticket := range taken {
		if _, ok := b.resolved[ticket]; !ok {
			t.Errorf("action %d, which the server had taken, is not resolved", i)
		}
	}
	if b.resolved[taken[1]] == 0 || b.resolved[taken[0]] != 0 {
		t.Errorf("indexes %d and %d: the checkpoint tells the last one's", b.resolved[taken[0]], b.resolved[taken[1]])
	}
	if len(b.refused)+len(follower.refused) > 0 {
		t.Errorf("refused: %v %v", b.refused, follower.refused)
	}
}

// A copy of a profile has written under the same client id, and the log no longer tells what.
func TestACloneBehindThePrunedPrefix(t *testing.T) {
	w := prunedWorld(t, 3)
	local := memstore.New()
	b := w.open(local)
	b.write(`[{"op":"create","object":"` + object(500) + `","type":"todo","fields":{"n":0},"lock":true}]`)
	b.write(create(501, `{"n":0}`))
	w.Run(2 * minute)
	b.kill()
	w.Run(100)
	copied := local.Clone()
	b = w.open(local)
	was := b.Client()
	b.net.fault = func(int) fate { return lostBefore }
	lost := b.write(create(502, `{}`))
	onLost := b.write(set(502, `{"n":1}`))
	locked := b.write(set(500, `{"n":1}`))
	kept := b.write(set(501, `{"n":7}`))
	w.Run(minute)
	a := w.open(copied)
	if a.Client() != was {
		t.Fatal("no clone")
	}
	fill(a, 600, 1)
	c := w.open(memstore.New())
	fill(c, 1, 300)
	b.net.fault = nil
	b.db.Wake("online")
	w.Run(3 * minute)
	w.converged(a, b, c)
	if b.Client() == was || b.Client() == action.Nil {
		t.Error("it still writes under the copied id")
	}
	if got := b.refused[lost].Code; got != action.CodeUnknown {
		t.Errorf("the action that shares its seq with the copy's: %q", got)
	}
	if got := b.refused[onLost].Code; got != action.CodeDepends {
		t.Errorf("what builds on it: %q", got)
	}
	if got := b.refused[locked].Code; got != action.CodeClient {
		t.Errorf("what the old id has locked: %q", got)
	}
	if b.resolved[kept] == 0 {
		t.Errorf("the rest is not persisted: %+v", b.refused[kept])
	}
}

// Whatever call of the store or the network fails on the way, the install comes to its end, whole or not at all.
func TestAnInstallThatFails(t *testing.T) {
	for n := range 14 {
		for _, what := range []string{"before", "after", "kill", "net"} {
			t.Run(fmt.Sprint(what, n), func(t *testing.T) {
				w := prunedWorld(t, 4)
				a, local := w.open(memstore.New()), memstore.New()
				fill(a, 1, 200)
				w.Latency = latency(4)
				b := w.openAsync(local)
				calls, killed := 0, false
				local.Fail = func(op, _ string, _ locallog.LSN) error {
					done := strings.HasSuffix(op, "ed")
					if calls++; calls != n || what == "net" || (what == "after") != done {
						return nil
					}
					if what == "kill" {
						killed = true
						b.kill()
						return nil
					}
					return errors.New("connection closing")
				}
				b.net.fault = func(i int) fate {
					if what == "net" && i == n/4+1 {
						return fate(1 + n%4)
					}
					return pass
				}
				w.Run(20)
				ticket := uint64(0)
				if b.Stream != nil && !killed {
					ticket = b.write(create(1000, `{}`))
				}
				w.Run(minute)
				if killed || b.Stream == nil {
					b = w.openAsync(local)
				}
				w.Run(3 * minute)
				w.converged(a, b)
				if !killed && ticket > 0 && b.resolved[ticket] == 0 && b.failed[ticket] == nil {
					t.Errorf("the write is open")
				}
			})
		}
	}
}

// Where a checkpoint cannot be had, the entries do, as long as the server has them.
func TestWithoutItsCheckpointTheLogServes(t *testing.T) {
	w := newWorld(t, 5)
	w.checkpoint = 4000
	w.start()
	a := w.open(memstore.New())
	fill(a, 1, 700)
	b := w.openAsync(memstore.New())
	b.net.damage = func(text []byte) []byte { text[len(text)/2] ^= 1; return text }
	w.Run(2 * minute)
	w.converged(a, b)
}

// The next server begins at the newest checkpoint, and folds the same.
func TestARestartedServerBeginsAtACheckpoint(t *testing.T) {
	w := prunedWorld(t, 6)
	a := w.open(memstore.New())
	fill(a, 1, 300)
	w.server.Close()
	w.start()
	a.write(set(3, `{"n":99}`))
	w.Run(2 * minute)
	b := w.open(memstore.New())
	w.Run(2 * minute)
	w.converged(a, b)
}

// With every client busy, each one's actions get in, in a bounded time.
func TestNoPusherStarves(t *testing.T) {
	w := newWorld(t, 7)
	slow, fast := w.open(memstore.New()), []*tab{w.open(memstore.New()), w.open(memstore.New())}
	w.Run(2 * minute)
	slow.host.Latency = latency(400) // the others append many times while its requests travel
	n := 0
	for _, tb := range fast {
		var again func()
		again = func() {
			tb.write(create(10_000+n, `{}`))
			n++
			w.After(100, again)
		}
		again()
	}
	w.Run(5000)
	begun := w.Now()
	ticket := slow.write(create(1, `{}`))
	for slow.resolved[ticket] == 0 {
		if w.Run(100); w.Now() > begun+60_000 {
			t.Fatalf("not persisted in a minute; %d actions of the others were", n)
		}
	}
	t.Logf("persisted after %d ms among %d actions of the others", w.Now()-begun, n)
}
