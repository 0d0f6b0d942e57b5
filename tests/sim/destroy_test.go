package sim

import (
	"context"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
)

// What is written while destroy() looks whether anything would be lost is refused, and not told as kept (C5).
func TestAWriteWhileDestroyingIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	tb := w.open(memstore.New())
	w.Run(1000)
	w.Latency = latency(20)
	said := error(nil)
	done := false
	tb.db.Destroy(false, func(_ int, err error) { said, done = err, true })
	for n := 0; !done; n++ {
		if ticket, err := tb.try(create(n, `{}`)); err == nil {
			t.Fatal("a write is taken while the database is destroyed:", ticket)
		}
		w.Run(1)
	}
	if said != nil {
		t.Fatal(said)
	}
}

// What another tab writes while destroy() counts and deletes is never lost: it is counted, or it fails (C5).
func TestADestroyCountsAnew(t *testing.T) {
	wiped, stayed := 0, 0
	for at := range int64(120) {
		w := newWorld(t, uint64(at))
		local := memstore.New()
		a, b := w.open(local), w.open(local)
		w.Run(1000)
		a.net.fault = func(int) fate { return lostBefore }
		b.net.fault = a.net.fault
		w.Latency = latency(20)
		done, said := false, error(nil)
		a.db.Destroy(false, func(_ int, err error) { done, said = true, err })
		w.Run(at)
		ticket, err := b.try(create(1, `{}`))
		w.Run(2 * minute)
		if !done {
			t.Fatalf("after %d ms: destroy() is not answered", at)
		}
		kept := err == nil && ticket <= b.committed && b.failed[ticket] == nil
		switch {
		case said == nil && kept:
			t.Errorf("after %d ms: the write was kept, and is gone", at)
		case said == nil:
			wiped++
		case action.CodeOf(said) == action.CodeUnsent && kept:
			stayed++
		default:
			t.Errorf("after %d ms: %v, kept %v", at, said, kept)
		}
	}
	if wiped == 0 || stayed == 0 {
		t.Errorf("%d times it was destroyed, %d times not", wiped, stayed)
	}
}

// A database that holds what the server does not have is not destroyed, and goes on: with what was pending, and with what was refused.
func TestDestroyCountsWhatIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	w.actionBytes = 400
	w.start()
	tb := w.open(memstore.New())
	tb.write(create(2, `{"title":"a title that is so long that the server refuses it for good, as it is over its limit of four hundred bytes, with all that stands around it in the action, which is some two hundred and fifty bytes more"}`))
	w.Run(1000)
	if tb.Status().Rejected != 1 {
		t.Fatalf("%+v", tb.Status())
	}
	left, said := 0, error(nil)
	tb.db.Destroy(false, func(n int, err error) { left, said = n, err })
	w.Run(1000)
	if left != 1 || action.CodeOf(said) != action.CodeUnsent {
		t.Fatalf("%d, %v", left, said)
	}
	if tb.write(create(3, `{}`)); tb.closed != nil {
		t.Error(tb.closed)
	}
	w.Run(1000)
	if tb.Status().Pending != 0 {
		t.Errorf("%+v", tb.Status())
	}
}

// A checkpoint that cannot be stored is not made anew at each record, and one of a local-only database is made by whoever has the stream open.
func TestCheckpointsThatFailPause(t *testing.T) {
	w := newWorld(t, 1)
	w.compact = 2000
	local := memstore.New()
	tries := 0
	local.Fail = func(op, _ string, _ locallog.LSN) error {
		if op == "checkpoint" {
			tries++
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	tb := w.open(local)
	for n := range 300 {
		tb.write(create(n, `{"title":"Something to do"}`))
		w.Run(200)
	}
	if tries == 0 || tries > 12 {
		t.Errorf("%d checkpoints are tried in vain", tries)
	}
	if _, err := local.Open().Load(context.Background(), stream, 0); err != nil {
		t.Error(err)
	}
}

// Of a database without a server, a stream that only a follower has open is compacted too (C16).
func TestAFollowersStreamIsCompacted(t *testing.T) {
	w, local := electing(t)
	w.alone, w.compact = true, 2000
	leader := w.open(local)
	w.Run(1000)
	w.name = "another"
	tb := w.open(local)
	for n := range 300 {
		tb.write(create(n, `{}`))
		w.Run(20)
	}
	w.Run(minute)
	log, err := local.Open().Load(context.Background(), "another", 0)
	if err != nil || len(log.Records) > 100 || log.Manifest == nil || !leader.db.Leading() {
		t.Errorf("%d records, a checkpoint: %v, %v", len(log.Records), log.Manifest != nil, err)
	}
}

// A checkpoint of the server that cannot be stored is not fetched for ever (C14).
func TestACheckpointThatCannotBeStored(t *testing.T) {
	w := newWorld(t, 1)
	w.checkpoint, w.keep = 2000, 10
	w.start()
	a := w.open(memstore.New())
	for n := range 200 {
		a.write(create(n, `{"title":"Something to do"}`))
		w.Run(300)
	}
	local := memstore.New()
	local.Fail = func(op, _ string, _ locallog.LSN) error {
		if op == "checkpoint" {
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	fetched := 0
	b := w.open(local)
	b.net.damage = func(text []byte) []byte { fetched++; return text }
	w.Run(60 * minute)
	if fetched == 0 || fetched > 20 || b.Status().Err == nil || b.Status().Err.Code != action.CodeQuota {
		t.Errorf("fetched %d times in an hour; %+v", fetched, b.Status())
	}
	local.Fail = nil
	b.db.Wake("the disk has room")
	w.Run(minute)
	w.converged(b)
	if !strings.Contains(b.net.requests[0], `"limit":100`) {
		t.Error("a first answer may be long, and then a checkpoint comes in its place:", b.net.requests[0])
	}
}
