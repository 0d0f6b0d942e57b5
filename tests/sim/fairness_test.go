package sim

import (
	"math/rand/v2"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
)

// writing writes in a tab, each time the last one is durable, until the function that it gives is called.
func writing(tb *tab, every int64, awaited bool) (writes *int, stop func()) {
	n, mine, stopped := 0, uint64(0), false
	var again func()
	again = func() {
		if stopped {
			return
		}
		if !awaited || tb.committed >= mine {
			mine = tb.write(create(1000+n, `{}`))
			n++
		}
		tb.w.After(every, again)
	}
	again()
	return &n, func() { stopped = true }
}

// Writes without a pause do not hold up the turns of their own tab.
func TestWritesLeaveRoomForTurns(t *testing.T) {
	w := newWorld(t, 1)
	w.Latency = latency(4)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	w.Run(2 * minute)
	b.write(create(1, `{}`))
	n, stop := writing(a, 3, false)
	w.Run(10_000)
	stop()
	if len(a.resolved) < *n*9/10 || !a.State().Exists(objectID(1)) {
		t.Fatalf("of %d writes %d are persisted; the head is %d", *n, len(a.resolved), a.State().Head)
	}
}

// Another tab's writes do not hold up the leader.
func TestWritesOfATabLeaveRoomForTheLeader(t *testing.T) {
	for _, every := range []int64{1, 8, 16, 33} {
		w, local := electing(t)
		w.Latency = latency(4)
		leader := w.open(local)
		w.Run(1000)
		tb := w.open(local)
		w.Run(1000)
		n, stop := writing(tb, every, true)
		w.Run(5000)
		stop()
		if head := int(leader.State().Head); head < *n-10 || len(leader.net.requests) > 2*(*n)+100 {
			t.Errorf("a write each %d ms: of %d the leader has %d after %d requests", every, *n, head, len(leader.net.requests))
		}
	}
}

// A tab whose store is slow gets its turn to write beside one that writes without a pause.
func TestASlowTabGetsItsTurn(t *testing.T) {
	for _, lat := range []int64{4, 16, 40, 100} {
		w, local := electing(t)
		w.Latency = func(r *rand.Rand) int64 { return 1 + r.Int64N(6) }
		leader := w.open(local)
		leader.net.fault = func(int) fate { return lostBefore }
		tb, slow := w.open(local), w.open(local)
		slow.host.Latency = func(r *rand.Rand) int64 { return lat/2 + r.Int64N(lat) }
		w.Run(1000)
		n, stop := writing(tb, 1, true)
		w.Run(100)
		ticket, began := slow.write(create(1, `{}`)), w.Now()
		for slow.committed < ticket && w.Now() < began+10_000 {
			w.Run(5)
		}
		stop()
		if took := w.Now() - began; took > 10*lat+100 || *n < 20 {
			t.Errorf("with a latency of about %d ms it took %d ms; the other wrote %d", lat, took, *n)
		}
	}
}

// A stream whose turns fail does not take the room of another's actions.
func TestAFailingStreamLeavesRoomForOthers(t *testing.T) {
	w := newWorld(t, 1)
	local := memstore.New()
	a := w.open(local)
	var other *virtual.Stream
	a.db.Open("zz", plan.Options{}, func(s *virtual.Stream, err error) { other = s })
	w.Run(2 * minute)
	a.net.fault = func(int) fate { return lostBefore }
	for i := range 2500 {
		a.write(create(i, `{}`))
	}
	w.Run(1000)
	local.Fail = func(op, s string, _ locallog.LSN) error {
		if op == "append" && s == stream {
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	a.net.fault = nil
	a.db.Wake("online")
	w.Run(minute)
	if _, err := other.Write(&queue.Draft{ID: a.host.NewID(), Ops: create(1, `{}`)}); err != nil {
		t.Fatal(err)
	}
	other.Pump()
	w.Run(minute)
	if other.Status().Pending > 0 {
		t.Fatalf("after a minute it is not sent: %+v", other.Status())
	}
}

// What is written while a follower runs a turn itself is sent soon.
func TestAFollowersWriteDuringItsOwnTurn(t *testing.T) {
	w, local := electing(t)
	leader, two := w.open(local), w.open(local)
	w.Run(1000)
	leader.host.Freeze()
	asks := func() {
		for n := len(two.net.requests); len(two.net.requests) == n; {
			w.Run(1)
		}
	}
	two.write(create(2, `{}`))
	asks()
	for two.Status().Pending > 0 {
		w.Run(1)
	}
	asks() // the turn after activity
	two.write(create(3, `{}`))
	w.Run(12_000)
	if two.Status().Pending > 0 {
		t.Fatalf("%+v", two.Status())
	}
}

// A follower that runs turns itself waits for as long as the server asks.
func TestAFollowerWaitsAsLongAsAsked(t *testing.T) {
	w, local := electing(t)
	leader, two := w.open(local), w.open(local)
	w.Run(1000)
	leader.host.Freeze()
	two.net.fault = func(int) fate { return busy }
	two.write(create(2, `{}`))
	last := int64(0)
	for end := w.Now() + 2*minute; w.Now() < end; {
		n := len(two.net.requests)
		if w.Run(100); len(two.net.requests) == n {
			continue
		}
		if last > 0 && w.Now()-last < 16_900 {
			t.Fatalf("it asks again after %d ms", w.Now()-last)
		}
		last = w.Now()
	}
	if last == 0 {
		t.Fatal("it never asks")
	}
}

// A clock that is set back by an hour does not make a tab deaf for as long.
func TestAClockThatIsSetBack(t *testing.T) {
	w, local := electing(t)
	leader := w.open(local)
	tb := w.openAsync(local)
	w.Run(1000)
	for i := range 7 {
		leader.write(create(i, `{}`))
		w.Run(1000)
		tb.host.Skew = -3_600_000
	}
	if tb.State().Len() != leader.State().Len() {
		t.Fatalf("it sees %d of %d objects", tb.State().Len(), leader.State().Len())
	}
}

// sync() is answered though the only stream is closed while it installs a checkpoint.
func TestSyncWhileAnInstallingStreamCloses(t *testing.T) {
	w := prunedWorld(t, 1)
	a := w.open(memstore.New())
	fill(a, 1, 300)
	b := w.openAsync(memstore.New())
	b.host.Latency = func(*rand.Rand) int64 {
		if len(b.net.requests) > 0 {
			return 20_000
		}
		return 4
	}
	w.Run(1000) // opened; the turn is answered, the checkpoint on its way
	told := false
	b.db.Sync(func(error) { told = true })
	w.Run(1000)
	b.Stream.Close(func() {})
	w.Run(5 * minute)
	if !told || b.closed == nil {
		t.Fatalf("told %v, closed %v", told, b.closed)
	}
}

// After a clone was found and the client has another id, a checkpoint that is installed later is not taken for another clone.
func TestASecondInstallAfterAClone(t *testing.T) {
	w := prunedWorld(t, 3)
	local := memstore.New()
	b := w.open(local)
	for i := range 6 {
		b.write(create(500+i, `{"n":0}`))
	}
	w.Run(2 * minute)
	b.kill()
	w.Run(100)
	copied := local.Clone()
	b = w.open(local)
	was := b.Client()
	b.net.fault = func(int) fate { return lostBefore }
	b.write(create(520, `{}`))
	w.Run(minute)
	a := w.open(copied)
	fill(a, 600, 1)
	c := w.open(memstore.New())
	fill(c, 1, 300)
	b.net.fault = nil
	b.db.Wake("online")
	w.Run(3 * minute)
	second := b.Client()
	if second == was {
		t.Fatal("the clone was not noticed")
	}
	a.kill()
	b.write(`[{"op":"create","object":"` + object(700) + `","type":"todo","fields":{"n":0},"lock":true}]`)
	w.Run(2 * minute)
	b.net.fault = func(int) fate { return lostBefore }
	ticket := b.write(set(700, `{"n":7}`)) // what it has locked itself
	w.Run(minute)
	fill(c, 1000, 1000)
	if b.State().Head+1 >= w.oldest() {
		t.Fatal("the entries that it lacks are kept")
	}
	b.net.fault = nil
	b.db.Wake("online")
	w.Run(3 * minute)
	if b.Client() != second || b.resolved[ticket] == 0 {
		t.Fatalf("client %s, then %s; resolved %v, refused %+v", second, b.Client(), b.resolved[ticket], b.refused[ticket])
	}
}

func objectID(n int) action.UUID {
	id, _ := action.ParseUUID(object(n))
	return id
}
