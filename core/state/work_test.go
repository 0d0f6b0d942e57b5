package state

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
)

func TestWork(t *testing.T) {
	object := action.UUID{0: 1}
	long := strings.Repeat(`"0123456789",`, 9000)
	s := Fold([]*action.Action{entryOf(t, []byte(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"fields":{"a":[%s],"n":1},"object":"%s","op":"create","type":"t"}],"seq":1,"index":1}`,
		action.UUID{15: 1}, action.UUID{15: 2}, long[:len(long)-1], object)))})
	act := func(op string, times int) *action.Action {
		ops := strings.Repeat(","+fmt.Sprintf(op, object), times)[1:]
		a, err := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[%s],"seq":1}`, action.UUID{15: 9}, action.UUID{15: 8}, ops))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct {
		name, op string
		times    int
		most     int
		over     bool
	}{
		{"a value in the place of another", `{"object":"%s","op":"update","set":{"n":2}}`, 1000, 100_000, false},
		{"a union with a long array", `{"object":"%s","op":"update","union":{"a":[1]}}`, 1, 130_000, false},
		{"a thousand of them", `{"object":"%s","op":"update","union":{"a":[1]}}`, 1000, 0, true},
		{"increments", `{"object":"%s","op":"update","inc":{"n":1}}`, 1000, 700_000, false},
	} {
		a := act(c.op, c.times)
		if got := s.Work(a); !c.over && got > c.most || c.over != (s.TooMuch(a) != nil) {
			t.Errorf("%s: %d", c.name, got)
		}
	}

	// What the action itself has made costs as much as what was there.
	own := action.UUID{0: 2}
	ops := fmt.Sprintf(`{"fields":{"a":[%s]},"object":"%s","op":"create","type":"t"}`, long[:len(long)-1], own) +
		strings.Repeat(fmt.Sprintf(`,{"object":"%s","op":"update","union":{"a":[1]}}`, own), 999)
	a, err := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[%s],"seq":1}`, action.UUID{15: 9}, action.UUID{15: 8}, ops))
	if err != nil {
		t.Fatal(err)
	}
	if s.TooMuch(a) == nil {
		t.Errorf("a create and unions with it: %d", s.Work(a))
	}
}

// What a state is said to take is near what its checkpoint has.
func TestSize(t *testing.T) {
	for n := range 3 {
		var entries []*action.Action
		for i := range n * 500 {
			entries = append(entries, entryOf(t, []byte(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"fields":{"a":"%s","n":1},"object":"%s","op":"create","type":"t"}],"seq":1,"index":%d}`,
				action.UUID{1: 1, 14: byte(i / 256), 15: byte(i)}, action.UUID{1: byte(i / 256), 15: byte(i)}, strings.Repeat("x", i), action.UUID{1: byte(i / 256), 2: byte(i)}, i+1))))
		}
		s := Fold(entries)
		if got, want := s.Size(), len(s.AppendCheckpoint(nil, "s")); got > want+want/2+1000 || got < want-want/2-1000 {
			t.Errorf("%d objects: %d, and the checkpoint has %d", len(entries), got, want)
		}
	}
}
