package state

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
)

// The rows of a type that asks for it have their keys in the order of their last writes: of the log, then of what is pending.
func TestKeysStandInTheOrderOfTheirWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewState()
		x := action.UUID{0: 1}
		seq, pending := uint64(0), []*action.Action{}
		position := map[action.UUID]int{}
		s.InOrder([]string{"t"}, func(a, b action.UUID) bool { return position[a] > position[b] })
		act := func(client byte, op string) *action.Action {
			seq++
			id := action.UUID{0: 9, 14: byte(seq >> 8), 15: byte(seq)}
			position[id] = int(seq)
			a, err := action.DecodeAction(fmt.Sprintf(`{"base":%d,"client":"%s","id":"%s","ops":[%s],"seq":%d}`, s.Head, action.UUID{15: client}, id, op, seq))
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		s.ApplyEntry(act(1, fmt.Sprintf(`{"fields":{"a":0,"b":0,"c":0,"d":0},"object":"%s","op":"create","type":"t"}`, x)), nil, nil)
		last, undos := map[string]int{}, []*Undo{}
		for n := range rapid.IntRange(0, 12).Draw(t, "writes") {
			key := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key")
			a := act(2, fmt.Sprintf(`{"object":"%s","op":"update","set":{"%s":%d}}`, x, key, n+1))
			if len(pending) == 0 && rapid.Bool().Draw(t, "confirmed") {
				s.ApplyEntry(a, nil, nil)
			} else {
				u := new(Undo)
				s.ApplyPending(a, u, new(Effect))
				pending, undos = append(pending, a), append(undos, u)
			}
			last[key] = n + 1
		}
		want, counts := "", []int{}
		for n := range 13 {
			had := len(want)
			for _, key := range []string{"a", "b", "c", "d"} {
				if last[key] == n {
					if want += fmt.Sprintf(`,"%s":%d`, key, n); had < 0 {
						counts[len(counts)-1]++
					} else {
						counts, had = append(counts, 1), -1
					}
				}
			}
		}
		want = fmt.Sprintf(`{"id":"%s","type":"t","":%s%s`, x, strings.ReplaceAll(fmt.Sprint(counts), " ", ","), want)
		if got := string(s.AppendRow(nil, x)); got != want+"}" {
			t.Fatalf("\n got %s\nwant %s}", got, want)
		}
		_ = undos
		s.InOrder(nil, nil)
		if got := string(s.AppendRow(nil, x)); got[len(got)-1] != '}' || strings.Contains(got, `"":`) {
			t.Fatal(got)
		}
	})
}

// A write that changes nothing but the order changes the row, where that tells it.
func TestAChangeOfOrderAlone(t *testing.T) {
	for _, ordered := range []bool{false, true} {
		s, x, seq := NewState(), action.UUID{0: 1}, uint64(0)
		if ordered {
			s.InOrder([]string{"t"}, nil)
		}
		apply := func(op string) (changed int) {
			seq++
			a, err := action.DecodeAction(fmt.Sprintf(`{"base":%d,"client":"%s","id":"%s","ops":[%s],"seq":%d}`, s.Head, action.UUID{15: 1}, action.UUID{0: 9, 15: byte(seq)}, op, seq))
			if err != nil {
				t.Fatal(err)
			}
			outer := s.BeginStep()
			s.ApplyEntry(a, nil, nil)
			return len(s.EndStep(outer))
		}
		apply(fmt.Sprintf(`{"fields":{"a":0,"b":0},"object":"%s","op":"create","type":"t"}`, x))
		apply(fmt.Sprintf(`{"object":"%s","op":"update","set":{"b":1}}`, x))
		if got, want := apply(fmt.Sprintf(`{"object":"%s","op":"update","set":{"a":0}}`, x)), map[bool]int{true: 1}[ordered]; got != want {
			t.Errorf("ordered %v: %d rows have changed", ordered, got)
		}
	}
}
