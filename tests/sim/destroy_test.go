package sim

import (
	"context"
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
