// Package enginetest is the conformance suite that every engine.Engine passes.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// Run runs the suite; open gives an engine without logs.
func Run(t *testing.T, open func(t *testing.T) engine.Engine) {
	t.Run("Data", func(t *testing.T) { runData(t, open) })
	t.Run("Uses", func(t *testing.T) { runUses(t, open) })
	ctx := context.Background()
	epoch := action.UUID{1, 2, 3}
	entries := func(from, n int) []engine.Entry {
		var out []engine.Entry
		for i := range n {
			out = append(out, engine.Entry{Stored: int64(from + i), By: "me", Chain: action.Chain(1<<63 + uint64(from+i)), Raw: fmt.Sprintf(`{"n":%d}`, from+i)})
		}
		return out
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	t.Run("AStreamThatNobodyHasWritten", func(t *testing.T) {
		e := open(t)
		log, err := e.Log(ctx, "a")
		must(t, err)
		if log != (engine.Log{}) {
			t.Fatalf("%+v", log)
		}
		got, err := e.Read(ctx, "a", 0, 10, 1<<20)
		if err != nil || len(got) != 0 {
			t.Fatalf("%v, %v", got, err)
		}
	})
	t.Run("WhatIsAppendedIsRead", func(t *testing.T) {
		e := open(t)
		must(t, e.Append(ctx, "a", epoch, 0, entries(1, 3)))
		must(t, e.Append(ctx, "a", epoch, 3, entries(4, 2)))
		must(t, e.Append(ctx, "b", action.UUID{9}, 0, entries(1, 1)))
		log, err := e.Log(ctx, "a")
		must(t, err)
		if want := (engine.Log{Epoch: epoch, Head: 5, Chain: 1<<63 + 5, Oldest: 1}); log != want {
			t.Fatalf("%+v, want %+v", log, want)
		}
		got, err := e.Read(ctx, "a", 1, 3, 1<<20)
		must(t, err)
		if fmt.Sprint(got) != fmt.Sprint(entries(2, 3)) {
			t.Fatalf("%v", got)
		}
		c, err := e.Chain(ctx, "a", 2)
		if err != nil || c != 1<<63+2 {
			t.Fatalf("%v, %v", c, err)
		}
		for _, c := range []struct {
			after string
			limit int
			want  string
		}{{"", 10, "[{a 5} {b 1}]"}, {"", 1, "[{a 5}]"}, {"a", 10, "[{b 1}]"}, {"aa", 1, "[{b 1}]"}, {"b", 10, "[]"}} {
			heads, err := e.Streams(ctx, c.after, c.limit)
			if err != nil || fmt.Sprint(heads) != c.want {
				t.Fatalf("after %q, %d: %v, %v", c.after, c.limit, heads, err)
			}
		}
	})
	t.Run("AReadIsBounded", func(t *testing.T) {
		e := open(t)
		must(t, e.Append(ctx, "a", epoch, 0, entries(1, 9)))
		for _, c := range []struct{ limit, bytes, want int }{{4, 1 << 20, 4}, {100, 20, 2}, {100, 1, 1}} {
			got, err := e.Read(ctx, "a", 0, c.limit, c.bytes)
			if err != nil || len(got) != c.want {
				t.Errorf("limit %d, %d bytes: %d entries, %v", c.limit, c.bytes, len(got), err)
			}
		}
	})
	t.Run("ASecondAppendAtOneHeadConflicts", func(t *testing.T) {
		e := open(t)
		must(t, e.Append(ctx, "a", epoch, 0, entries(1, 2)))
		for _, expect := range []uint64{0, 1, 3} {
			if err := e.Append(ctx, "a", epoch, expect, entries(7, 2)); !errors.Is(err, engine.ErrConflict) {
				t.Errorf("at %d: %v", expect, err)
			}
		}
		if err := e.Append(ctx, "a", action.UUID{7}, 2, entries(3, 1)); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("another epoch: %v", err)
		}
		got, err := e.Read(ctx, "a", 0, 10, 1<<20)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(entries(1, 2)) {
			t.Fatalf("%v, %v", got, err)
		}
	})
	t.Run("RacingAppendersLeaveADenseLog", func(t *testing.T) {
		e := open(t)
		const writers, each = 8, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range each {
					for {
						log, err := e.Log(ctx, "a")
						if err != nil {
							t.Error(err)
							return
						}
						raw := fmt.Sprintf(`"%d/%d"`, w, i)
						err = e.Append(ctx, "a", epoch, log.Head, []engine.Entry{{Raw: raw}, {Raw: raw}})
						if err == nil {
							break
						}
						if !errors.Is(err, engine.ErrConflict) {
							t.Error(err)
							return
						}
					}
				}
			}()
		}
		wg.Wait()
		got, err := e.Read(ctx, "a", 0, 1000, 1<<20)
		must(t, err)
		if len(got) != 2*writers*each {
			t.Fatalf("%d entries", len(got))
		}
		seen := map[string]bool{}
		for i := 0; i < len(got); i += 2 {
			if got[i].Raw != got[i+1].Raw || seen[got[i].Raw] {
				t.Fatalf("entry %d: %v", i, got[i])
			}
			seen[got[i].Raw] = true
		}
	})
	t.Run("ACheckpointStandsForForgottenEntries", func(t *testing.T) {
		e := open(t)
		if c, err := e.Checkpoint(ctx, "a", 0); c != nil || err != nil {
			t.Fatalf("%+v, %v", c, err)
		}
		must(t, e.Append(ctx, "a", epoch, 0, entries(1, 9)))
		at := func(index uint64) *engine.Checkpoint {
			return &engine.Checkpoint{Index: index, Epoch: epoch, Chain: action.Chain(1<<63 + index), Bytes: 100, SHA256: [32]byte{1, byte(index)},
				Packed: []byte(fmt.Sprint("packed ", index)), Owners: []byte("{}")}
		}
		for _, bad := range []*engine.Checkpoint{at(0), at(10), {Index: 3, Epoch: action.UUID{7}}} {
			if err := e.PutCheckpoint(ctx, "a", bad, 1); !errors.Is(err, engine.ErrConflict) {
				t.Fatalf("%+v: %v", bad, err)
			}
		}
		must(t, e.PutCheckpoint(ctx, "a", at(3), 1))
		must(t, e.PutCheckpoint(ctx, "a", at(5), 4))
		must(t, e.PutCheckpoint(ctx, "a", at(4), 4)) // late: a newer one is there
		log, err := e.Log(ctx, "a")
		if want := (engine.Log{Epoch: epoch, Head: 9, Chain: 1<<63 + 9, Oldest: 4}); err != nil || log != want {
			t.Fatalf("%+v, %v", log, err)
		}
		if _, err := e.Read(ctx, "a", 2, 10, 1<<20); !errors.Is(err, engine.ErrConflict) {
			t.Fatalf("entries that are forgotten: %v", err)
		}
		if _, err := e.Chain(ctx, "a", 3); !errors.Is(err, engine.ErrConflict) {
			t.Fatalf("the chain of one that is forgotten: %v", err)
		}
		got, err := e.Read(ctx, "a", 3, 2, 1<<20)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(entries(4, 2)) {
			t.Fatalf("%v, %v", got, err)
		}
		for index, want := range map[uint64]*engine.Checkpoint{0: at(5), 5: at(5), 3: at(3)} {
			if c, err := e.Checkpoint(ctx, "a", index); err != nil || fmt.Sprint(c) != fmt.Sprint(want) {
				t.Fatalf("at %d: %+v, %v", index, c, err)
			}
		}
		if indexes, err := e.Checkpoints(ctx, "a"); err != nil || fmt.Sprint(indexes) != "[5 3]" {
			t.Fatalf("%v, %v", indexes, err)
		}
		if indexes, err := e.Checkpoints(ctx, "b"); err != nil || len(indexes) != 0 {
			t.Fatalf("%v, %v", indexes, err)
		}
		must(t, e.PutCheckpoint(ctx, "a", at(9), 100)) // the last entry stays
		if c, err := e.Checkpoint(ctx, "a", 3); c != nil || err != nil {
			t.Fatalf("an old one is kept: %+v, %v", c, err)
		}
		if log, err = e.Log(ctx, "a"); err != nil || log.Oldest != 9 || log.Head != 9 || log.Epoch != epoch {
			t.Fatalf("%+v, %v", log, err)
		}
		must(t, e.Append(ctx, "a", epoch, 9, entries(10, 1)))
		if got, err = e.Read(ctx, "a", 8, 9, 1<<20); err != nil || fmt.Sprint(got) != fmt.Sprint(entries(9, 2)) {
			t.Fatalf("%v, %v", got, err)
		}
	})
	t.Run("ManyEntriesAreForgotten", func(t *testing.T) {
		e := open(t)
		const n = 45_000
		for at := uint64(0); at < n; at += 5000 {
			must(t, e.Append(ctx, "a", epoch, at, entries(int(at)+1, 5000)))
		}
		must(t, e.PutCheckpoint(ctx, "a", &engine.Checkpoint{Index: n, Epoch: epoch, Packed: []byte("x"), Owners: []byte("{}")}, n-10))
		if log, err := e.Log(ctx, "a"); err != nil || log.Oldest != n-10 || log.Head != n {
			t.Fatalf("%+v, %v", log, err)
		}
		must(t, e.Delete(ctx, "a"))
		if log, err := e.Log(ctx, "a"); err != nil || log != (engine.Log{}) {
			t.Fatalf("%+v, %v", log, err)
		}
	})
	t.Run("ADeletedLogIsGone", func(t *testing.T) {
		e := open(t)
		must(t, e.Delete(ctx, "a"))
		must(t, e.Append(ctx, "a", epoch, 0, entries(1, 3)))
		must(t, e.Append(ctx, "b", epoch, 0, entries(1, 1)))
		must(t, e.PutCheckpoint(ctx, "a", &engine.Checkpoint{Index: 2, Epoch: epoch, Packed: []byte("x"), Owners: []byte("{}")}, 2))
		must(t, e.Delete(ctx, "a"))
		log, err := e.Log(ctx, "a")
		if err != nil || log != (engine.Log{}) {
			t.Fatalf("%+v, %v", log, err)
		}
		if c, err := e.Checkpoint(ctx, "a", 0); c != nil || err != nil {
			t.Fatalf("%+v, %v", c, err)
		}
		if err := e.Append(ctx, "a", epoch, 3, entries(4, 1)); !errors.Is(err, engine.ErrConflict) {
			t.Fatalf("an append to what was there: %v", err)
		}
		must(t, e.Append(ctx, "a", action.UUID{5}, 0, entries(7, 1)))
		if log, err = e.Log(ctx, "a"); err != nil || log.Epoch != (action.UUID{5}) || log.Head != 1 || log.Oldest != 1 {
			t.Fatalf("%+v, %v", log, err)
		}
		heads, err := e.Streams(ctx, "", 10)
		if err != nil || len(heads) != 2 {
			t.Fatalf("%v, %v", heads, err)
		}
	})
	t.Run("AClientBelongsToWhoClaimedItFirst", func(t *testing.T) {
		e := open(t)
		owners := make(chan string, 20)
		for i := range cap(owners) {
			go func() {
				owner, err := e.Claim(ctx, action.UUID{1}, fmt.Sprint("p", i))
				if err != nil {
					t.Error(err)
				}
				owners <- owner
			}()
		}
		first := <-owners
		for range cap(owners) - 1 {
			if owner := <-owners; owner != first || owner == "" {
				t.Fatalf("%q and %q", first, owner)
			}
		}
		if owner, err := e.Claim(ctx, action.UUID{2}, "q"); owner != "q" || err != nil {
			t.Fatal(owner, err)
		}
	})
	t.Run("AClosedEngineSaysSo", func(t *testing.T) {
		e := open(t)
		must(t, e.Close())
		must(t, e.Close())
		if err := e.Append(ctx, "a", epoch, 0, entries(1, 1)); err == nil {
			t.Fatal("it took an append")
		}
		if _, err := e.Log(ctx, "a"); err == nil {
			t.Fatal("it answered")
		}
	})
}
