// Package storetest is the conformance suite that every locallog.Store passes: in memory, and in a browser.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Open makes one more connection to the database that a test was given.
type Open func(t *testing.T) locallog.Store

// Showing is a store that gives what is shown of a stream, by record, and the rows of pages by their names.
type Showing interface {
	Shown(stream string) (shown map[locallog.LSN]string, rows map[string]string)
}

// Run runs the suite. newDatabase makes an empty database and gives what opens connections to it.
func Run(t *testing.T, newDatabase func(t *testing.T) Open) {
	ctx := context.Background()
	rec := func(s string) []byte { return []byte(s) }
	fill := func(t *testing.T, s locallog.Store, stream string, n int) {
		t.Helper()
		for i := range n {
			if err := s.Append(ctx, stream, locallog.LSN(i), rec(fmt.Sprint(stream, i))); err != nil {
				t.Fatalf("append %d: %v", i, err)
			}
		}
	}
	load := func(t *testing.T, s locallog.Store, stream string, from locallog.LSN) [][]byte {
		t.Helper()
		out, err := s.Load(ctx, stream, from)
		if err != nil {
			t.Fatalf("load from %d: %v", from, err)
		}
		return out.Records
	}

	t.Run("AStreamThatWasNeverWrittenIsEmpty", func(t *testing.T) {
		s := newDatabase(t)(t)
		if got := load(t, s, "a", 0); len(got) != 0 {
			t.Fatalf("%d records", len(got))
		}
	})
	t.Run("ManyRecordsComeBackInOrder", func(t *testing.T) {
		s := newDatabase(t)(t)
		fill(t, s, "a", 300)
		fill(t, s, "b", 3)
		for _, from := range []locallog.LSN{0, 1, 10, 295, 299, 300} {
			got := load(t, s, "a", from)
			if len(got) != 300-int(from) {
				t.Fatalf("from %d: %d records", from, len(got))
			}
			for i, b := range got {
				if string(b) != fmt.Sprint("a", int(from)+i) {
					t.Fatalf("from %d: record %d is %q", from, i, b)
				}
			}
		}
	})
	t.Run("RecordsComeBackInOrder", func(t *testing.T) {
		s := newDatabase(t)(t)
		fill(t, s, "a", 12)
		got := load(t, s, "a", 0)
		if len(got) != 12 {
			t.Fatalf("%d records", len(got))
		}
		for i, b := range got {
			if string(b) != fmt.Sprint("a", i) {
				t.Fatalf("record %d is %q", i, b)
			}
		}
		if got := load(t, s, "a", 10); len(got) != 2 || string(got[0]) != "a10" {
			t.Fatalf("from 10: %q", got)
		}
		if got := load(t, s, "a", 12); len(got) != 0 {
			t.Fatalf("from the end: %q", got)
		}
	})
	t.Run("EveryByteSurvives", func(t *testing.T) {
		s := newDatabase(t)(t)
		var all []byte
		for i := range 1 << 16 {
			all = append(all, byte(i), byte(i>>8))
		}
		if err := s.Append(ctx, "a", 0, all); err != nil {
			t.Fatal(err)
		}
		if got := load(t, s, "a", 0); len(got) != 1 || !bytes.Equal(got[0], all) {
			t.Fatal("other bytes came back")
		}
	})
	t.Run("StreamsAreApart", func(t *testing.T) {
		s := newDatabase(t)(t)
		fill(t, s, "a", 2)
		fill(t, s, "a/b", 3)
		fill(t, s, "b", 1)
		if n := len(load(t, s, "a", 0)); n != 2 {
			t.Fatalf("a has %d", n)
		}
		if n := len(load(t, s, "a/b", 0)); n != 3 {
			t.Fatalf("a/b has %d", n)
		}
		names, err := s.Streams(ctx)
		if err != nil || !slices.Equal(names, []string{"a", "a/b", "b"}) {
			t.Fatalf("%q, %v", names, err)
		}
	})
	t.Run("WhoComesSecondLoses", func(t *testing.T) {
		open := newDatabase(t)
		one, two := open(t), open(t)
		fill(t, one, "a", 3)
		if err := two.Append(ctx, "a", 2, rec("late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("append over a record: %v", err)
		}
		if err := two.Append(ctx, "a", 0, rec("late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a second record 0: %v", err)
		}
		if err := two.Append(ctx, "a", 5, rec("early")); !errors.Is(err, locallog.ErrLost) && !errors.Is(err, locallog.ErrGone) {
			t.Fatalf("append beyond the end: %v", err)
		}
		if got := load(t, one, "a", 0); len(got) != 3 || string(got[2]) != "a2" {
			t.Fatalf("the log changed: %q", got)
		}
		if err := two.Append(ctx, "a", 3, rec("next")); err != nil {
			t.Fatalf("after a lost race: %v", err)
		}
	})
	t.Run("ALogThatIsNotThereIsGone", func(t *testing.T) {
		s := newDatabase(t)(t)
		if err := s.Append(ctx, "a", 1, rec("x")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("append: %v", err)
		}
		if _, err := s.Load(ctx, "a", 1); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("load: %v", err)
		}
		if got := load(t, s, "a", 0); len(got) != 0 {
			t.Fatalf("something was written: %q", got)
		}
	})
	t.Run("RacingConnectionsLeaveADenseLog", func(t *testing.T) {
		open := newDatabase(t)
		fill(t, open(t), "a", 1)
		const each = 100
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := map[string]bool{}
		lost := 0
		for c := range 2 {
			s := open(t)
			wg.Add(1)
			go func() {
				defer wg.Done()
				next := locallog.LSN(1)
				for i := 0; i < each; {
					text := fmt.Sprintf("%d/%d", c, i)
					err := s.Append(ctx, "a", next, rec(text))
					switch {
					case err == nil:
						mu.Lock()
						won[text] = true
						mu.Unlock()
						i++
						next++
					case errors.Is(err, locallog.ErrLost):
						mu.Lock()
						lost++
						mu.Unlock()
						more, err := s.Load(ctx, "a", next)
						if err != nil {
							t.Error(err)
							return
						}
						next += locallog.LSN(len(more.Records))
					default:
						t.Error(err)
						return
					}
				}
			}()
		}
		wg.Wait()
		got := load(t, open(t), "a", 0)
		if len(got) != 2*each+1 {
			t.Fatalf("%d records, want %d", len(got), 2*each+1)
		}
		for _, b := range got[1:] {
			if !won[string(b)] {
				t.Fatalf("%q is in the log but nobody was told", b)
			}
			delete(won, string(b))
		}
		if len(won) > 0 {
			t.Fatalf("told as saved but not in the log: %v", won)
		}
		t.Logf("%d races lost", lost)
	})
	t.Run("OneRecordWinsEachRace", func(t *testing.T) {
		open := newDatabase(t)
		fill(t, open(t), "a", 1)
		for round := range 20 {
			errs := make([]error, 4)
			var wg sync.WaitGroup
			for i := range errs {
				s := open(t)
				wg.Add(1)
				go func() {
					defer wg.Done()
					errs[i] = s.Append(ctx, "a", locallog.LSN(round+1), rec(fmt.Sprint(round, i)))
				}()
			}
			wg.Wait()
			winner := -1
			for i, err := range errs {
				if err == nil {
					if winner >= 0 {
						t.Fatalf("round %d: two winners", round)
					}
					winner = i
				} else if !errors.Is(err, locallog.ErrLost) {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if winner < 0 {
				t.Fatalf("round %d: no winner", round)
			}
			if got := load(t, open(t), "a", locallog.LSN(round+1)); len(got) != 1 || string(got[0]) != fmt.Sprint(round, winner) {
				t.Fatalf("round %d: %q, winner %d", round, got, winner)
			}
		}
	})
	t.Run("OnlyWhatWasCountedIsDestroyed", func(t *testing.T) {
		open := newDatabase(t)
		one, two := open(t), open(t)
		fill(t, one, "a", 3)
		fill(t, one, "b", 1)
		for _, next := range []map[string]locallog.LSN{{}, {"a": 3}, {"a": 2, "b": 1}, {"a": 4, "b": 1}, {"a": 3, "b": 1, "c": 1}} {
			if err := two.Destroy(ctx, next); !errors.Is(err, locallog.ErrLost) {
				t.Fatalf("%v: %v", next, err)
			}
			if got := load(t, two, "a", 0); len(got) != 3 {
				t.Fatalf("%v: %d records", next, len(got))
			}
		}
		if err := two.Append(ctx, "a", 3, rec("a3")); err != nil {
			t.Fatalf("the store is closed: %v", err)
		}
		if err := two.Destroy(ctx, map[string]locallog.LSN{"a": 4, "b": 1}); err != nil {
			t.Fatal(err)
		}
		if err := one.Append(ctx, "a", 4, rec("a4")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("an append to what was destroyed: %v", err)
		}
	})
	t.Run("WhatWasDestroyedIsGoneForEverybody", func(t *testing.T) {
		open := newDatabase(t)
		one, two := open(t), open(t)
		fill(t, one, "a", 2)
		if err := two.Destroy(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if err := one.Append(ctx, "a", 2, rec("x")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("append to a destroyed log: %v", err)
		}
		three := open(t)
		if got := load(t, three, "a", 0); len(got) != 0 {
			t.Fatalf("left: %q", got)
		}
		// A new log under the old name, as long as the old one, is not the one that was followed.
		fill(t, three, "a", 2)
		if err := one.Append(ctx, "a", 2, rec("x")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("append to another log: %v", err)
		}
		if _, err := one.Load(ctx, "a", 2); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("load from another log: %v", err)
		}
		if got := load(t, three, "a", 0); len(got) != 2 {
			t.Fatalf("the new log has %d records", len(got))
		}
	})
	t.Run("ACheckpointTakesThePlaceOfItsRecords", func(t *testing.T) {
		open := newDatabase(t)
		s, late := open(t), open(t)
		fill(t, s, "a", 10)
		fill(t, s, "b", 3)
		if m, err := s.Manifest(ctx, "a"); m != nil || err != nil {
			t.Fatalf("a manifest before there is one: %q, %v", m, err)
		}
		one := checkpoint(6, nil, nil, "6-0", "6-1")
		if err := s.Checkpoint(ctx, "a", one); err != nil {
			t.Fatal(err)
		}
		if m, err := late.Manifest(ctx, "a"); !bytes.Equal(m, one.Manifest) || err != nil {
			t.Fatalf("manifest: %q, %v", m, err)
		}
		for _, from := range []locallog.LSN{0, 3, 6} { // record 6 stays, what comes before is gone
			l, err := late.Load(ctx, "a", from)
			if err != nil || !bytes.Equal(l.Manifest, one.Manifest) || len(l.Pages) != 2 || string(l.Pages[1]) != "page 6-1" {
				t.Fatalf("load from %d: %+v, %v", from, l, err)
			}
			if len(l.Records) != 3 || string(l.Records[0]) != "a7" {
				t.Fatalf("records after the checkpoint: %q", l.Records)
			}
		}
		for from, want := range map[locallog.LSN]int{7: 3, 9: 1, 10: 0} {
			if l, err := late.Load(ctx, "a", from); err != nil || l.Manifest != nil || len(l.Records) != want {
				t.Fatalf("load from %d: %+v, %v", from, l, err)
			}
		}
		if err := late.Append(ctx, "a", 4, rec("late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("append into what is compacted: %v", err)
		}
		if err := late.Append(ctx, "a", 0, rec("late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("record 0 beside a checkpoint: %v", err)
		}
		if err := late.Append(ctx, "a", 10, rec("a10")); err != nil {
			t.Fatalf("the next append: %v", err)
		}
		two := checkpoint(10, one.Manifest, []string{"6-1"}, "10-0")
		two.Manifest = (&locallog.Manifest{LSN: 10, Rest: []string{"6-0", "10-0"}}).Encode()
		if err := s.Checkpoint(ctx, "a", two); err != nil {
			t.Fatal(err)
		}
		l, err := late.Load(ctx, "a", 0)
		if err != nil || len(l.Pages) != 2 || string(l.Pages[0]) != "page 6-0" || string(l.Pages[1]) != "page 10-0" || len(l.Records) != 0 {
			t.Fatalf("after the second: %+v, %v", l, err)
		}
		if err := late.Append(ctx, "a", 11, rec("a11")); err != nil { // its predecessor is there for ever
			t.Fatal(err)
		}
		if n := len(load(t, s, "b", 0)); n != 3 {
			t.Fatalf("the other stream has %d records", n)
		}
		names, err := s.Streams(ctx)
		if err != nil || !slices.Equal(names, []string{"a", "b"}) {
			t.Fatalf("%q, %v", names, err)
		}
	})
	t.Run("WhatIsShownGoesWithItsRecord", func(t *testing.T) {
		open := newDatabase(t)
		s, late := open(t), open(t)
		at := func(lsn locallog.LSN, text string) locallog.Shown { return locallog.Shown{LSN: lsn, Text: text} }
		is := func(shown map[locallog.LSN]string, rows map[string]string) {
			t.Helper()
			gotShown, gotRows := s.(Showing).Shown("a")
			if !maps.Equal(gotShown, shown) || !maps.Equal(gotRows, rows) {
				t.Fatalf("shown: %v, rows: %q", gotShown, gotRows)
			}
		}
		if err := s.Show(ctx, "a", at(0, "zero")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("at a record that is not there: %v", err)
		}
		for lsn := range locallog.LSN(10) {
			var shown []locallog.Shown
			if lsn%3 == 0 && lsn > 0 {
				shown = []locallog.Shown{at(lsn-1, fmt.Sprint("äöü 🙂 ", lsn-1)), at(lsn, fmt.Sprint(lsn))}
			}
			if err := s.Append(ctx, "a", lsn, rec("x"), shown...); err != nil {
				t.Fatal(err)
			}
		}
		if err := late.Append(ctx, "a", 5, rec("late"), at(4, "late"), at(5, "late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a lost race: %v", err)
		}
		if err := late.Show(ctx, "a", at(4, "4")); err != nil {
			t.Fatal(err)
		}
		if err := late.Show(ctx, "a", at(10, "10")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("behind the last record: %v", err)
		}
		is(map[locallog.LSN]string{2: "äöü 🙂 2", 3: "3", 4: "4", 5: "äöü 🙂 5", 6: "6", 8: "äöü 🙂 8", 9: "9"}, map[string]string{})
		one := checkpoint(6, nil, nil, "6-0r", "6-1r")
		one.Pages[0].Rows, one.Shown, one.Afresh = "[0]", "all of 6", true
		if err := s.Checkpoint(ctx, "a", one); err != nil {
			t.Fatal(err)
		}
		is(map[locallog.LSN]string{6: "all of 6", 8: "äöü 🙂 8", 9: "9"}, map[string]string{"6-0r": "[0]"})
		if err := late.Show(ctx, "a", at(4, "4")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("at a record that is gone: %v", err)
		}
		if err := late.Show(ctx, "a", at(6, "less")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("in the place of what a checkpoint shows: %v", err)
		}
		two := checkpoint(9, one.Manifest, []string{"6-0r"}, "9-0r")
		two.Pages[0].Rows, two.Shown = "[9]", "all of 9"
		if err := s.Checkpoint(ctx, "a", two); err != nil {
			t.Fatal(err)
		}
		is(map[locallog.LSN]string{9: "all of 9"}, map[string]string{"9-0r": "[9]"})
		three := checkpoint(10, two.Manifest, nil, "10-0r")
		three.Record, three.Pages[0].Rows, three.Afresh = rec("installed"), "[10]", true
		if err := s.Checkpoint(ctx, "a", three); err != nil {
			t.Fatal(err)
		}
		is(map[locallog.LSN]string{}, map[string]string{"10-0r": "[10]"})
		if err := s.Destroy(ctx, nil); err != nil {
			t.Fatal(err)
		}
		s = open(t)
		is(map[locallog.LSN]string{}, map[string]string{})
	})
	t.Run("AnOldCheckpointDeletesNothing", func(t *testing.T) {
		open := newDatabase(t)
		s, frozen := open(t), open(t)
		fill(t, s, "a", 10)
		old := checkpoint(4, nil, nil, "4-0")
		one := checkpoint(8, nil, nil, "8-0")
		if err := s.Checkpoint(ctx, "a", one); err != nil {
			t.Fatal(err)
		}
		if err := frozen.Checkpoint(ctx, "a", old); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a checkpoint over a newer one: %v", err)
		}
		stale := checkpoint(9, old.Manifest, []string{"8-0"}, "9-0")
		if err := frozen.Checkpoint(ctx, "a", stale); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a checkpoint on another base: %v", err)
		}
		l, err := s.Load(ctx, "a", 0)
		if err != nil || !bytes.Equal(l.Manifest, one.Manifest) || string(l.Pages[0]) != "page 8-0" || len(l.Records) != 1 {
			t.Fatalf("%+v, %v", l, err)
		}
	})
	t.Run("ACheckpointThatBringsItsRecordIsACommit", func(t *testing.T) {
		open := newDatabase(t)
		s, late := open(t), open(t)
		fill(t, s, "a", 10)
		at := func(lsn locallog.LSN, base []byte) *locallog.Checkpoint {
			c := checkpoint(lsn, base, nil, fmt.Sprint(lsn, "-0"))
			c.Record = rec(fmt.Sprint("installed ", lsn))
			return c
		}
		for _, lsn := range []locallog.LSN{5, 9, 11} { // not the next one
			if err := s.Checkpoint(ctx, "a", at(lsn, nil)); !errors.Is(err, locallog.ErrLost) && action.CodeOf(err) != action.CodeClosed {
				t.Fatalf("at %d: %v", lsn, err)
			}
		}
		one := at(10, nil)
		if err := s.Checkpoint(ctx, "a", one); err != nil {
			t.Fatal(err)
		}
		for _, from := range []locallog.LSN{0, 9, 10} { // whoever follows the log meets the checkpoint
			l, err := late.Load(ctx, "a", from)
			if err != nil || !bytes.Equal(l.Manifest, one.Manifest) || len(l.Pages) != 1 || len(l.Records) != 0 {
				t.Fatalf("load from %d: %+v, %v", from, l, err)
			}
		}
		if err := late.Append(ctx, "a", 10, rec("late")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("an append in its place: %v", err)
		}
		if err := late.Checkpoint(ctx, "a", at(11, nil)); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("another one, on no base: %v", err)
		}
		if err := late.Append(ctx, "a", 11, rec("a11")); err != nil {
			t.Fatal(err)
		}
		if got := load(t, s, "a", 11); len(got) != 1 || string(got[0]) != "a11" {
			t.Fatalf("%q", got)
		}
	})
	t.Run("ACheckpointOfNothingIsRefused", func(t *testing.T) {
		open := newDatabase(t)
		s, other := open(t), open(t)
		if err := s.Checkpoint(ctx, "a", checkpoint(0, nil, nil, "0-0")); !errors.Is(err, locallog.ErrLost) && action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("of a stream that is not there: %v", err)
		}
		fill(t, s, "a", 2)
		if err := s.Checkpoint(ctx, "a", checkpoint(5, nil, nil, "5-0")); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("beyond the last record: %v", err)
		}
		if err := other.Destroy(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Checkpoint(ctx, "a", checkpoint(1, nil, nil, "1-0")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("of a destroyed log: %v", err)
		}
	})
	t.Run("PagesThatALogIsNotReadFrom", func(t *testing.T) {
		open := newDatabase(t)
		s := open(t)
		fill(t, s, "a", 3)
		if _, err := s.Pages(ctx, "a", []string{"~1-0r"}); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a page that is not there: %v", err)
		}
		c := checkpoint(1, nil, nil, "1-0")
		c.Pages = append(c.Pages, locallog.Page{Name: locallog.KeptName(1, 0), Bytes: []byte("kept")})
		if err := s.Checkpoint(ctx, "a", c); err != nil {
			t.Fatal(err)
		}
		s = open(t)
		l, err := s.Load(ctx, "a", 0)
		if err != nil || len(l.Pages) != 1 || len(l.Records) != 1 {
			t.Fatalf("%+v, %v", l, err)
		}
		pages, err := s.Pages(ctx, "a", []string{locallog.KeptName(1, 0), "1-0"})
		if err != nil || len(pages) != 2 || string(pages[0]) != "kept" || !bytes.Equal(pages[1], l.Pages[0]) {
			t.Fatalf("%q, %v", pages, err)
		}
		next := checkpoint(2, c.Manifest, nil, "1-0")
		next.Pages, next.Drop = nil, []string{locallog.KeptName(1, 0)}
		if err := s.Checkpoint(ctx, "a", next); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Pages(ctx, "a", []string{locallog.KeptName(1, 0)}); !errors.Is(err, locallog.ErrLost) {
			t.Fatalf("a page that was dropped: %v", err)
		}
	})
	t.Run("RemainsAreAllThatIsThere", func(t *testing.T) { remains(t, newDatabase(t)(t)) })
	t.Run("RacingCheckpoints", func(t *testing.T) {
		open := newDatabase(t)
		fill(t, open(t), "a", 30)
		var base []byte
		for round := range 10 {
			lsn := locallog.LSN(2*round + 1)
			errs := make([]error, 4)
			manifests := make([][]byte, 4)
			var wg sync.WaitGroup
			for i := range errs {
				s := open(t)
				c := checkpoint(lsn, base, nil, fmt.Sprintf("%d-0", lsn), fmt.Sprintf("%d-x%d", lsn, i))
				if round > 0 {
					m, _ := locallog.DecodeManifest(base)
					c.Drop = m.Names()
				}
				manifests[i] = c.Manifest
				wg.Add(1)
				go func() {
					defer wg.Done()
					errs[i] = s.Checkpoint(ctx, "a", c)
				}()
			}
			wg.Wait()
			winner := -1
			for i, err := range errs {
				if err == nil {
					if winner >= 0 {
						t.Fatalf("round %d: two winners", round)
					}
					winner = i
				} else if !errors.Is(err, locallog.ErrLost) {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if winner < 0 {
				t.Fatalf("round %d: no winner", round)
			}
			base = manifests[winner]
			l, err := open(t).Load(ctx, "a", 0)
			if err != nil || !bytes.Equal(l.Manifest, base) || len(l.Pages) != 2 || string(l.Pages[1]) != fmt.Sprintf("page %d-x%d", lsn, winner) || len(l.Records) != 29-int(lsn) {
				t.Fatalf("round %d: %+v, %v", round, l, err)
			}
		}
	})
	t.Run("AClosedStoreSaysSo", func(t *testing.T) {
		s := newDatabase(t)(t)
		fill(t, s, "a", 1)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("twice: %v", err)
		}
		if err := s.Append(ctx, "a", 1, rec("x")); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("append: %v", err)
		}
		if _, err := s.Load(ctx, "a", 0); action.CodeOf(err) != action.CodeClosed {
			t.Fatalf("load: %v", err)
		}
	})
}
