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
}
