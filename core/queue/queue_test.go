package queue

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
)

func object(n int) action.UUID { return action.UUID{0: 1, 15: byte(n)} }

// naive finds what meets an action by looking at the whole queue, over and over.
func naive(q *Queue, begin func(l *Local) bool, seen map[action.UUID]bool) (out []*Local) {
	for _, l := range q.All() {
		hit := begin(l)
		names(&l.Action, func(o action.UUID) { hit = hit || seen[o] })
		if hit {
			out = append(out, l)
			names(&l.Action, func(o action.UUID) { seen[o] = true })
		}
	}
	return out
}

// Whatever is done to a queue, its index has what it has, and a meeting is what looking at all of it finds.
func TestTheQueueAndItsIndexAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, serial, seq := New(), 0, uint64(0)
		draw := func() *Local {
			serial++
			l := &Local{Action: action.Action{ID: action.UUID{0: 2, 14: byte(serial >> 8), 15: byte(serial)}}}
			for range rapid.IntRange(1, 3).Draw(t, "ops") {
				l.Ops = append(l.Ops, action.Op{Kind: action.Update, Object: object(rapid.IntRange(0, 9).Draw(t, "object"))})
			}
			for range rapid.IntRange(0, 1).Draw(t, "guards") {
				l.Guards = append(l.Guards, action.Guard{Object: object(rapid.IntRange(0, 9).Draw(t, "guard"))})
			}
			return l
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				q.Add(draw())
			case 2:
				l := draw()
				seq++
				l.Seq = seq
				q.Enqueue(l)
			case 3:
				n := rapid.IntRange(0, len(q.Uncommitted)).Draw(t, "commit")
				for _, l := range q.Uncommitted[:n] {
					seq++
					l.Seq = seq
				}
				q.Commit(n)
			case 4:
				gone := map[action.UUID]bool{}
				for _, l := range q.All() {
					if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
						gone[l.ID] = true
					}
				}
				q.Remove(gone)
			case 5:
				q.RemoveFirst(rapid.IntRange(0, len(q.Pending)).Draw(t, "first"))
			}
			if err := q.Check(); err != nil {
				t.Fatal(err)
			}
			inOrder(t, q)
		}
		entry := draw()
		m := q.Meet(nil)
		m.With(&entry.Action)
		seen := map[action.UUID]bool{}
		names(&entry.Action, func(o action.UUID) { seen[o] = true })
		same(t, m.All(), naive(q, func(*Local) bool { return false }, seen))
		if all := q.All(); len(all) > 0 {
			l := all[rapid.IntRange(0, len(all)-1).Draw(t, "from")]
			m := q.Meet(nil)
			m.From(l)
			same(t, m.All(), naive(q, func(other *Local) bool { return other == l }, map[action.UUID]bool{}))
		}
	})
}

// inOrder checks which actions stand behind which.
func inOrder(t *rapid.T, q *Queue) {
	all := q.All()
	for i, a := range all {
		for j, b := range all {
			if got := q.IsBehind(a.ID, b.ID); got != (i > j) {
				t.Fatalf("action %d behind action %d: %v", i, j, got)
			}
		}
		if stranger := (action.UUID{0: 3}); !q.IsBehind(stranger, a.ID) || q.IsBehind(a.ID, stranger) {
			t.Fatalf("one that is not in the queue stands before action %d", i)
		}
	}
}

func same(t *rapid.T, got, want []*Local) {
	if !slices.Equal(got, want) {
		t.Fatalf("%d actions meet it, not %d: %s", len(got), len(want), fmt.Sprint(got))
	}
}
