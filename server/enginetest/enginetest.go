// Package enginetest is the conformance suite that every server.Engine passes.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/server"
)

// Run runs the suite; open gives an engine without logs.
func Run(t *testing.T, open func(t *testing.T) server.Engine) {
	ctx := context.Background()
	epoch := core.UUID{1, 2, 3}
	entries := func(from, n int) []server.Entry {
		var out []server.Entry
		for i := range n {
			out = append(out, server.Entry{Stored: int64(from + i), By: "me", Chain: core.Chain(1<<63 + uint64(from+i)), Raw: fmt.Sprintf(`{"n":%d}`, from+i)})
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
		if log != (server.Log{}) {
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
		must(t, e.Append(ctx, "b", core.UUID{9}, 0, entries(1, 1)))
		log, err := e.Log(ctx, "a")
		must(t, err)
		if want := (server.Log{Epoch: epoch, Head: 5, Chain: 1<<63 + 5}); log != want {
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
		heads, err := e.Streams(ctx)
		if err != nil || len(heads) != 2 || heads["a"] != 5 || heads["b"] != 1 {
			t.Fatalf("%v, %v", heads, err)
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
			if err := e.Append(ctx, "a", epoch, expect, entries(7, 2)); !errors.Is(err, server.ErrConflict) {
				t.Errorf("at %d: %v", expect, err)
			}
		}
		if err := e.Append(ctx, "a", core.UUID{7}, 2, entries(3, 1)); !errors.Is(err, server.ErrConflict) {
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
						err = e.Append(ctx, "a", epoch, log.Head, []server.Entry{{Raw: raw}, {Raw: raw}})
						if err == nil {
							break
						}
						if !errors.Is(err, server.ErrConflict) {
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
