package conflict

import (
	"strings"
	"testing"
)

func TestConflictsAreKeptUpToALimit(t *testing.T) {
	for _, keep := range []int{0, 1, 3, 50} {
		l := List{Keep: keep}
		for i := range 3000 {
			l.Report(Conflict{Kind: Discarded, Index: uint64(i)})
		}
		want := keep
		if keep == 0 {
			want = Default
		}
		list := l.Newest()
		if len(list) != want || list[0].Index != 2999 || list[want-1].Index != uint64(3000-want) || len(l.list) > want+max(want/10, 1) {
			t.Errorf("keep %d: %d given of %d, from %d on", keep, len(list), len(l.list), list[0].Index)
		}
	}
}

// However large values are, what is kept is bounded.
func TestReportsAreBoundedInBytes(t *testing.T) {
	var l List
	large := `"` + strings.Repeat("x", 50_000) + `"`
	for i := range 300 {
		l.Report(Conflict{Kind: Discarded, Index: uint64(i), Mine: large})
	}
	if n := len(l.list); n > mostBytes/50_000 || n < 15 || l.list[n-1].Index != 299 {
		t.Errorf("%d reports", n)
	}
	huge := `"` + strings.Repeat("x", 2*mostBytes) + `"`
	l.Report(Conflict{Kind: Discarded, Mine: huge})
	if len(l.list) != 1 {
		t.Errorf("%d reports beside a huge one", len(l.list))
	}
}
