package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
)

// Queries against the plainest way to answer them.
func TestQueriesAgainstAScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewState()
		for i := range rapid.IntRange(0, 40).Draw(t, "log") {
			s.ApplyEntry(actiontest.Action(t, i, s.Head), nil, nil)
		}
		q := &Query{Limit: -1}
		if rapid.Bool().Draw(t, "typed") {
			q.Type = rapid.SampledFrom([]string{"t", "none"}).Draw(t, "type")
		}
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			op := CondOp(rapid.IntRange(0, 7).Draw(t, "cond"))
			arg := actiontest.GenValue(t)
			if op == OpIn {
				arg = "[" + arg + ",1]"
			}
			q.Where = append(q.Where, Condition{Key: rapid.SampledFrom(append(actiontest.GenKeys, "id", "type", "absent")).Draw(t, "key"), Op: op, Arg: arg})
		}
		for range rapid.IntRange(0, 2).Draw(t, "orders") {
			q.Order = append(q.Order, Order{Key: rapid.SampledFrom(append(actiontest.GenKeys, "id", "type", "absent")).Draw(t, "key"), Desc: rapid.Bool().Draw(t, "desc")})
		}
		want := scan(s, q)
		if got := ids(s, s.Query(q)); got != strings.Join(want, " ") {
			t.Fatalf("%+v\n got %s\nwant %v", q, got, want)
		}
		q.Offset, q.Limit = rapid.IntRange(0, 4).Draw(t, "offset"), rapid.IntRange(0, 4).Draw(t, "limit")
		window := want[min(q.Offset, len(want)):]
		window = window[:min(q.Limit, len(window))]
		if got := ids(s, s.Query(q)); got != strings.Join(window, " ") {
			t.Fatalf("%+v\n got %s\nwant %v", q, got, window)
		}
		if n := s.Count(q); n != len(window) {
			t.Fatalf("count %d, want %d", n, len(window))
		}
	})
}

// Values whose tags are the same are still told apart.
func TestEqualTagsAreNotEqualValues(t *testing.T) {
	s := NewState()
	values := []string{`"item 1"`, `"atom 1"`, `"item 2"`, `1`, `"1"`}
	for i, v := range values {
		a, err := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"fields":{"a":%s},"object":"%s","op":"create","type":"t"}],"seq":%d}`,
			action.UUID{15: 9}, action.UUID{0: 1, 15: byte(i)}, v, action.UUID{0: 2, 15: byte(i)}, i+1))
		if err != nil {
			t.Fatal(err)
		}
		s.ApplyEntry(a, nil, nil)
	}
	if tagOf(values[0]) != tagOf(values[1]) {
		t.Fatal("these tags were meant to be the same")
	}
	for i, v := range values {
		q := &Query{Where: []Condition{{Key: "a", Op: OpEq, Arg: v}}, Limit: -1}
		if got, want := ids(s, s.Query(q)), (action.UUID{0: 2, 15: byte(i)}).String(); got != want {
			t.Errorf("%s: got %q, want %s", v, got, want)
		}
	}
}

func ids(s *State, rows []Row) string {
	var out []string
	for _, r := range rows {
		out = append(out, s.objects.at(r.Slot).id.String())
	}
	return strings.Join(out, " ")
}

// scan answers a query over decoded JSON.
func scan(s *State, q *Query) []string {
	type row struct {
		id     string
		fields map[string]any
	}
	var rows []row
	for slot := range s.objects.n {
		o := s.objects.at(slot)
		if !o.live {
			continue
		}
		r := row{id: o.id.String()}
		json.Unmarshal(s.AppendRow(nil, slot), &r.fields)
		if q.Type != "" && r.fields["type"] != q.Type {
			continue
		}
		ok := true
		for _, c := range q.Where {
			ok = ok && scanHolds(c, r.fields)
		}
		if ok {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		for _, o := range q.Order {
			x, xok := a.fields[o.Key]
			y, yok := b.fields[o.Key]
			c := scanCompare(x, xok, y, yok)
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return strings.Compare(a.id, b.id)
	})
	var out []string
	for _, r := range rows {
		out = append(out, r.id)
	}
	return out
}

func canonOf(v any) string {
	b, _ := json.Marshal(v)
	s, err := action.Canonical(string(b), action.MaxDepth)
	if err != nil {
		panic(fmt.Sprint(err, string(b)))
	}
	return s
}

func scanHolds(c Condition, fields map[string]any) bool {
	v, has := fields[c.Key]
	var arg any
	json.Unmarshal([]byte(c.Arg), &arg)
	equal := has && canonOf(v) == canonOf(arg)
	switch c.Op {
	case OpEq:
		return equal
	case OpNe:
		return !equal
	case OpIn:
		for _, e := range arg.([]any) {
			if has && canonOf(v) == canonOf(e) {
				return true
			}
		}
		return false
	case OpHas:
		list, _ := v.([]any)
		for _, e := range list {
			if canonOf(e) == canonOf(arg) {
				return true
			}
		}
		return false
	}
	_, vs := v.(string)
	_, as := arg.(string)
	_, vn := v.(float64)
	_, an := arg.(float64)
	if !(vs && as || vn && an) {
		return false
	}
	n := scanCompare(v, true, arg, true)
	return map[CondOp]bool{OpGt: n > 0, OpGte: n >= 0, OpLt: n < 0, OpLte: n <= 0}[c.Op]
}

func scanCompare(x any, xok bool, y any, yok bool) int {
	rank := func(v any, ok bool) int {
		if !ok {
			return 0
		}
		switch v := v.(type) {
		case nil:
			return 1
		case bool:
			if v {
				return 3
			}
			return 2
		case float64:
			return 4
		case string:
			return 5
		}
		return 6
	}
	a, b := rank(x, xok), rank(y, yok)
	if a != b {
		return a - b
	}
	switch a {
	case 4:
		switch {
		case x.(float64) < y.(float64):
			return -1
		case x.(float64) > y.(float64):
			return 1
		}
	case 5:
		return action.CompareKeys(x.(string), y.(string))
	case 6:
		return action.CompareKeys(canonOf(x), canonOf(y))
	}
	return 0
}

func TestSmallNumbersAreReadWithoutStrconv(t *testing.T) {
	for _, text := range []string{"0", "7", "123456789", "1234567890", "-5", "1.5", "1e+21", "999999999"} {
		want, _ := action.ParseNumber(text)
		if got := number(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func mustHold(t interface{ Fatal(...any) }, s *State) {
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}
