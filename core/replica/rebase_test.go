package replica

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/record"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// A turn equals a fold from nothing, whatever is pending: semantics section 5. Rows that end as they were keep their version.
func TestRebaseEqualsAFoldFromNothing(t *testing.T) {
	for i := range 8 { // many: what a quick turn leaves out shows in few worlds
		t.Run(action.Itoa(i), rapid.MakeCheck(rebaseWorld))
	}
}

func rebaseWorld(t *rapid.T) {
	r := New("s")
	me := action.UUID{15: 10}
	if _, err := r.Follow([]*record.Record{{Kind: locallog.KindInit, Init: record.Init{Client: me}}}); err != nil {
		t.Fatal(err)
	}
	var log []*action.Action
	var serial int
	for range rapid.IntRange(1, 6).Draw(t, "rounds") {
		for range rapid.IntRange(0, 4).Draw(t, "writes") {
			serial++
			var ops []string
			for range rapid.IntRange(1, 3).Draw(t, "ops") {
				ops = append(ops, actiontest.Op(t, false))
			}
			d := &queue.Draft{ID: action.UUID{0: 0xaa, 15: byte(serial)}, Ops: "[" + strings.Join(ops, ",") + "]", Atomic: rapid.Bool().Draw(t, "atomic")}
			if rapid.IntRange(0, 2).Draw(t, "guarded") == 0 {
				d.Guards = "[" + actiontest.Guard(t) + "]"
			}
			_, _ = r.write(d, uint64(serial)) // some are refused at the call
		}
		if rapid.Bool().Draw(t, "commit") && len(r.q.Uncommitted) > 0 {
			_, n, _ := r.CommitRecord()
			r.Committed(n, 0)
		}
		turn := record.Turn{After: r.state.Head}
		chain := r.state.Chain
		var persisted []*action.Action
		if n := rapid.IntRange(0, len(r.q.Pending)).Draw(t, "persisted"); n > 0 && rapid.Bool().Draw(t, "own") {
			for _, l := range r.q.Pending[:n] {
				turn.Persisted = append(turn.Persisted, l.ID)
				a := l.Action
				persisted = append(persisted, &a)
			}
			refuseSome(t, r, &turn)
		} else if rapid.IntRange(0, 3).Draw(t, "refuses") == 0 {
			refuseSome(t, r, &turn)
		} else {
			foreign := rapid.IntRange(0, 3).Draw(t, "foreign") > 0
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				serial++
				a := actiontest.Action(t, serial, r.state.Head)
				if foreign && a.Client == me { // an own entry makes the turn a plain one
					continue
				}
				turn.Entries = append(turn.Entries, action.Entry{Action: *a})
			}
		}
		for i := range turn.Entries {
			log = append(log, &turn.Entries[i].Action)
			chain = chain.Next(turn.Entries[i].Action.Raw)
		}
		for _, a := range persisted {
			log = append(log, a)
			chain = chain.Next(a.Raw)
		}
		turn.Chain = chain
		decoded, err := record.Decode(record.EncodeTurn(&turn))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Follow([]*record.Record{decoded}); err != nil {
			t.Fatal(err)
		}
		if rapid.IntRange(0, 2).Draw(t, "another tab commits") == 0 {
			serial++
			d := &queue.Draft{ID: action.UUID{0: 0xab, 15: byte(serial)}, Ops: "[" + actiontest.Op(t, false) + "]"}
			l, err := queue.Make(d, me, r.state.Head, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.Number(r.lastSeq + 1)
			decoded, err := record.Decode(record.EncodeCommit([]string{l.Raw}, nil, nil))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Follow([]*record.Record{decoded}); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		want := state.Fold(log)
		for _, queue := range [1][]*queue.Local{r.q.All()} {
			for _, l := range queue {
				want.ApplyPending(&l.Action, nil, nil)
			}
		}
		if got, want := string(r.state.AppendCheckpoint(nil, "s")), string(want.AppendCheckpoint(nil, "s")); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
}

// refuseSome has a turn refuse some of what is pending and not persisted by it.
func refuseSome(t *rapid.T, r *Replica, turn *record.Turn) {
	a := protocol.SyncAnswer{}
	for _, l := range r.q.Pending[len(turn.Persisted):] {
		if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
			a.Rejected = append(a.Rejected, action.Rejection{ID: l.ID, Code: action.CodeRejected})
		}
	}
	r.planRejected(turn, &a)
}

// What looks the same is not told of.
func TestUnchangedRowsAreNotShown(t *testing.T) {
	r := New("s")
	r.Follow([]*record.Record{{Kind: locallog.KindInit, Init: record.Init{Client: action.UUID{15: 1}}}})
	id := action.UUID{0: 0x0b}
	write := func(serial byte, ops string) {
		t.Helper()
		if _, err := r.write(&queue.Draft{ID: action.UUID{0: 0xaa, 15: serial}, Ops: ops}, uint64(serial)); err != nil {
			t.Fatal(err)
		}
	}
	write(1, `[{"op":"create","object":"`+id.String()+`","type":"t","fields":{"a":1}}]`)
	if shown := r.rebaseAll(func() {}); len(shown) > 0 {
		t.Fatal("a rebase that changes nothing shows something")
	}
	for n, ops := range []string{`"set":{"a":1}`, `"set":{"a":2}`} {
		outer := r.state.BeginStep()
		write(byte(2+n), `[{"op":"update","object":"`+id.String()+`",`+ops+`}]`)
		if shown := r.state.EndStep(outer); len(shown) != n {
			t.Fatalf("%s shows %v", ops, shown)
		}
	}
}
