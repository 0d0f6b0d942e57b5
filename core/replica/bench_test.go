package replica

import (
	"fmt"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

func benchAction(client byte, n int) string {
	return fmt.Sprintf(`{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"%s","id":"%s","ops":[{"fields":{"done":%t,"list":"list-%d","rank":%d,"tags":["a","b"],"title":"Something to do, number %d"},"object":"%s","op":"create","type":"todo"}],"seq":%d}`,
		action.UUID{15: client}, action.UUID{0: client, 14: byte(n >> 8), 15: byte(n)}, n%2 == 0, n%10, n%97, n, action.UUID{0: client, 1: 0x0b, 14: byte(n >> 8), 15: byte(n)}, n+1)
}

func benchReplica(b *testing.B, pending int) *Replica {
	b.Helper()
	r := New("s")
	if _, err := r.Follow([]*record.Record{{Kind: locallog.KindInit, Init: record.Init{Client: action.UUID{15: 1}}}}); err != nil {
		b.Fatal(err)
	}
	for n := range pending {
		ops := fmt.Sprintf(`[{"fields":{"title":"Something to do, number %d","done":false,"rank":%d},"object":"%s","op":"create","type":"todo"}]`, n, n, action.UUID{0: 0xaa, 14: byte(n >> 8), 15: byte(n)})
		if _, err := r.write(&queue.Draft{ID: action.UUID{0: 0xbb, 14: byte(n >> 8), 15: byte(n)}, Ops: ops}, uint64(n+1)); err != nil {
			b.Fatal(err)
		}
	}
	if pending > 0 {
		_, n, _ := r.CommitRecord()
		r.Committed(n, 0)
	}
	return r
}

// 10,000 new entries in batches of 500 under 1,000 pending that none of them touches.
func BenchmarkTurns(b *testing.B) {
	for _, pending := range []int{0, 1000} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			answers := make([]protocol.SyncAnswer, 20)
			for i := range answers {
				for j := range 500 {
					n := i*500 + j
					answers[i].Entries = append(answers[i].Entries, protocol.WireEntry{Index: uint64(n + 1), Stored: "2026-11-22T20:00:00.000Z", Action: benchAction(2, n)})
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				r := benchReplica(b, pending)
				b.StartTimer()
				for i := range answers {
					it := r.Ask(1000, 1<<20, nil, true)
					p, err := r.PlanTurn(&it, &answers[i], 0, nil)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := r.Follow([]*record.Record{p.Turn}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	ops := func(n int) string {
		return fmt.Sprintf(`[{"fields":{"title":"Something to do, number %d","done":false,"rank":%d,"list":"list-1","tags":["a","b"]},"object":"%s","op":"create","type":"todo"}]`, n, n, action.UUID{0: 0xaa, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := benchReplica(b, 0)
		texts := make([]string, 10000)
		for n := range texts {
			texts[n] = ops(n)
		}
		b.StartTimer()
		for n, text := range texts {
			if _, err := r.write(&queue.Draft{ID: action.UUID{0: 0xbb, 14: byte(n >> 8), 15: byte(n)}, Ops: text}, uint64(n)); err != nil {
				b.Fatal(err)
			}
		}
		rec, n, _ := r.CommitRecord()
		r.Committed(n, 0)
		_ = rec
	}
}

func BenchmarkDecode(b *testing.B) {
	raw := benchAction(2, 5)
	var sl action.Slab
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		var a action.Action
		if err := action.DecodeInto(&a, raw, &sl); err != nil {
			b.Fatal(err)
		}
	}
}

// Opening a stream of 10,000 objects: all of them pending, as records or in a checkpoint; or all of them in the log.
func BenchmarkOpen(b *testing.B) {
	pending := benchReplica(b, 0)
	blobs := [][]byte{record.EncodeInit(record.Init{Client: action.UUID{15: 1}})}
	for n := range 10_000 {
		ops := fmt.Sprintf(`[{"fields":{"title":"Something to do, number %d","done":false,"rank":%d},"object":"%s","op":"create","type":"todo"}]`, n, n, action.UUID{0: 0xaa, 14: byte(n >> 8), 15: byte(n)})
		if _, err := pending.write(&queue.Draft{ID: action.UUID{0: 0xbb, 14: byte(n >> 8), 15: byte(n)}, Ops: ops}, uint64(n+1)); err != nil {
			b.Fatal(err)
		}
	}
	blob, n, _ := pending.CommitRecord()
	pending.Committed(n, len(blob))
	blobs = append(blobs, blob)
	entries := benchReplica(b, 0)
	for i := range 20 {
		a := protocol.SyncAnswer{}
		for j := range 500 {
			n := i*500 + j
			a.Entries = append(a.Entries, protocol.WireEntry{Index: uint64(n + 1), Stored: "2026-11-22T20:00:00.000Z", Action: benchAction(2, n)})
		}
		it := entries.Ask(1000, 1<<20, nil, true)
		p, err := entries.PlanTurn(&it, &a, 0, nil)
		if err == nil {
			_, err = entries.Follow([]*record.Record{p.Turn})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	checkpoint := func(r *Replica) *locallog.Log {
		s := checkpoint.Whole(r.state, r.Undos(), r.log.Log)
		s.Place(r.next-1, r)
		for !s.Step() {
		}
		c := s.Seal(&locallog.Manifest{})
		r.state.Untrack()
		log := &locallog.Log{Manifest: c.Manifest}
		for _, p := range c.Pages {
			log.Pages = append(log.Pages, p.Bytes)
		}
		return log
	}
	for name, log := range map[string]*locallog.Log{"pending=records": {Records: blobs}, "pending=checkpoint": checkpoint(pending), "log=checkpoint": checkpoint(entries)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := Read("s", 0, log, nil)
				if err != nil || r.state.Len() != 10_000 {
					b.Fatal(err, r.state.Len())
				}
			}
		})
	}
}

// benchState holds 10,000 objects that the log has, and gives the actions that made them.
func benchState(b *testing.B) (*state.State, []*action.Action) {
	b.Helper()
	s, log := state.NewState(), make([]*action.Action, 10_000)
	for n := range log {
		a, err := action.DecodeAction(benchAction(2, n))
		if err != nil {
			b.Fatal(err)
		}
		log[n] = a
		s.ApplyEntry(a, nil, nil)
	}
	return s, log
}

// 10,000 entries: creates of new objects; updates of one key, with and without saying what came of them.
func BenchmarkApply(b *testing.B) {
	s, log := benchState(b)
	b.Run("create", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := state.NewState()
			for _, a := range log {
				s.ApplyEntry(a, nil, nil)
			}
		}
	})
	updates := make([]*action.Action, 100_000)
	for n := range updates {
		a, err := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"object":"%s","op":"update","set":{"rank":%d}}],"seq":%d}`,
			action.UUID{15: 3}, action.UUID{0: 3, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}, log[n%len(log)].Ops[0].Object, n, n+1))
		if err != nil {
			b.Fatal(err)
		}
		updates[n] = a
	}
	for _, effects := range []bool{false, true} {
		b.Run(fmt.Sprintf("update/effects=%t", effects), func(b *testing.B) {
			b.ReportAllocs()
			at := 0
			for b.Loop() {
				var u state.Undo
				for range 10_000 {
					var e *state.Effect
					if effects {
						e = new(state.Effect)
					}
					s.ApplyPending(updates[at], &u, e)
					if at++; at == len(updates) {
						at = 0
					}
				}
			}
		})
	}
}

// Checkpoints of 10,000 objects: into pages and out of them, as a client keeps them; into text and out of it, as servers hand them out.
func BenchmarkCheckpoint(b *testing.B) {
	s, _ := benchState(b)
	take := func() *locallog.Checkpoint {
		n := checkpoint.Whole(s, nil, action.UUID{15: 1})
		n.Next.LSN = 1
		for !n.Step() {
		}
		return n.Seal(&locallog.Manifest{})
	}
	b.Run("pages", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			take()
		}
	})
	text := s.AppendCheckpoint(nil, "s")
	b.Run("text", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			text = s.AppendCheckpoint(text[:0], "s")
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := state.ReadCheckpoint(string(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
