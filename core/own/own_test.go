package own

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
)

// However large values are, what is kept for undo is bounded.
func TestInversesAreBoundedInBytes(t *testing.T) {
	var l List
	large := `"` + strings.Repeat("x", 50_000) + `"`
	for i := range 300 {
		change := action.Change{Part: action.PartSet, Key: "a", Value: large}
		l.Remember(Entry{ID: action.UUID{14: byte(i >> 8), 15: byte(i)}, Inverse: []state.InverseOp{{Op: action.Op{Kind: action.Update,
			Changes: []action.Change{change}}, Over: []action.UUID{{}}}}})
	}
	kept := 0
	for i := range l.All() {
		kept += len(l.All()[i].Inverse)
	}
	if kept > maxInverseBytes/50_000 || kept < 2 || len(l.All()[299].Inverse) == 0 {
		t.Errorf("%d inverses", kept)
	}
	bytes, bare := l.bytes, l.bare
	if l.weigh(); l.bytes != bytes {
		t.Errorf("counted %d bytes, there are %d", bytes, l.bytes)
	}
	for i := range l.All()[:bare] {
		if l.All()[i].Inverse != nil {
			t.Fatalf("%d is forgotten, and kept", i)
		}
	}
}

// However long a log is, 64 places of it are known, and the gaps between them grow with their age.
func TestMarksThinOutWithAge(t *testing.T) {
	var m Marks
	for i := uint64(1); i <= 100_000; i++ {
		m.Put(i*3, action.Chain(i))
		m.Put(i*2, 0) // behind the last one
	}
	list := m.All()
	if len(list) != protocol.MaxMarks || list[len(list)-1].Index != 300_000 || list[0].Index != 3 {
		t.Fatalf("%d marks, from %d to %d", len(list), list[0].Index, list[len(list)-1].Index)
	}
	for i := 1; i < len(list); i++ {
		gap, age := list[i].Index-list[i-1].Index, 300_000-list[i-1].Index
		if gap > 3 && float64(gap) > 0.45*float64(age) {
			t.Errorf("between %d and %d there is nothing", list[i-1].Index, list[i].Index)
		}
	}
	if until := m.Until(list[10].Index); len(until.All()) != 11 {
		t.Errorf("%d", len(until.All()))
	}
}

// What is kept goes into pages that are written once; what is old, or too much, goes, and who reads hears of each once.
func TestKeptActionsHavePages(t *testing.T) {
	var s Store
	stored := map[string][]Kept{}
	written := 0
	for i := range 30_000 {
		s.Add(Kept{Raw: strings.Repeat("x", 200), Index: uint64(i + 1), Stored: int64(i)})
		if i%700 != 699 {
			continue
		}
		cut := s.Cut()
		var more []locallog.KeptPage
		for n, page := range cut.Pages {
			name := action.Itoa(i) + "-" + action.Itoa(n)
			stored[name] = page
			written += len(page)
			more = append(more, cut.Named(n, name, 200*len(page)))
		}
		e := action.NewEncoder(nil)
		s.Write(e, &cut)
		if e.Len() > TailBytes+1000 {
			t.Fatalf("%d bytes beside the pages", e.Len())
		}
		pages := s.Lasting(more)
		s.Stored(pages)
		var again Store
		again.Read(action.NewDecoder(action.View(e.Whole())), pages)
		if len(again.tail) != len(s.tail) || again.began != s.began {
			t.Fatalf("%d and %d behind the last page", len(again.tail), len(s.tail))
		}
		next := uint64(0)
		for _, p := range pages {
			for _, k := range stored[p.Name] {
				if next > 0 && k.Index != next {
					t.Fatalf("%d follows %d", k.Index, next-1)
				}
				next = k.Index + 1
			}
		}
		if n := len(s.tail); n > 0 && next > 0 && s.tail[0].Index != next {
			t.Fatalf("%d follows %d", s.tail[0].Index, next-1)
		}
	}
	count := len(s.tail)
	for _, p := range s.pages {
		count += p.Count
	}
	if count < mostKept || count > mostKept+2000 || written > 30_000 {
		t.Errorf("%d are kept, %d were written", count, written)
	}
	s.Add(Kept{Raw: "late", Stored: keptFor + 40_000})
	if pages := s.Lasting(nil); len(pages) > 0 {
		t.Errorf("%d pages are too old", len(pages))
	}
}
