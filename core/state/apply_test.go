package state

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
	"github.com/strandline-sync/strandline/core/clients"
)

// whole is all that a state is, versions and slots included where rows are told by them.
func whole(s *State) string {
	b := s.AppendCheckpoint(nil, "s")
	for slot := range s.objects.n {
		if o := s.objects.at(slot); o.live {
			b = append(s.AppendRow(b, o.id), byte(o.version), byte(o.version>>8), byte(slot))
		}
	}
	return string(b)
}

// Exact undo: unapply(apply(s, a)) is s, for every s and a, discarded actions included; also when many are taken back, and when entries
// and pending actions are mixed with applications that keep no undo record.
func TestUnapplyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewState()
		for i := range rapid.IntRange(0, 12).Draw(t, "log") {
			s.ApplyEntry(actiontest.Action(t, i, s.Head), nil, nil)
		}
		type step struct {
			before string
			undo   Undo
		}
		steps := make([]step, rapid.IntRange(1, 8).Draw(t, "steps"))
		for i := range steps {
			steps[i].before = whole(s)
			a := actiontest.Action(t, 100+i, s.Head)
			if rapid.Bool().Draw(t, "entry") {
				s.ApplyEntry(a, &steps[i].undo, nil)
			} else {
				s.ApplyPending(a, &steps[i].undo, nil)
			}
			if rapid.IntRange(0, 3).Draw(t, "tidy") == 0 { // what it copies is the same
				before := whole(s)
				s.Tidy()
				if got := whole(s); got != before {
					t.Fatalf("tidied:\n got %s\nwant %s", got, before)
				}
				mustHold(t, s)
			}
		}
		for i := len(steps) - 1; i >= 0; i-- {
			s.Unapply(&steps[i].undo)
			if got := whole(s); got != steps[i].before {
				t.Fatalf("step %d:\n got %s\nwant %s", i, got, steps[i].before)
			}
		}
	})
}

// The fold is one function: with an undo record or without, with effects or without, it gives the same state.
func TestApplyingIsOneFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, full := NewState(), NewState()
		for i := range rapid.IntRange(1, 25).Draw(t, "log") {
			a := actiontest.Action(t, i, plain.Head)
			plain.ApplyEntry(a, nil, nil)
			var e Effect
			full.ApplyEntry(a, new(Undo), &e)
			if e.Discarded && e.Ops == nil && e.Reason == ReasonNone {
				t.Fatal("a discarded action without any reason")
			}
		}
		if a, b := plain.AppendCheckpoint(nil, "s"), full.AppendCheckpoint(nil, "s"); string(a) != string(b) {
			t.Fatalf("\n%s\n%s", a, b)
		}
		for slot := range plain.objects.n {
			o := plain.objects.at(slot)
			if n := len(plain.appendFields(nil, o)); o.live && n > 2 && n != o.bytes {
				t.Fatalf("%s: %d bytes are counted, %d are there", o.id, o.bytes, n)
			}
		}
	})
}

func TestOldClientsLeaveTheTable(t *testing.T) {
	s := NewState()
	act := func(client byte, seq uint64) *action.Action {
		return &action.Action{ID: action.UUID{15: client}, Client: action.UUID{15: client}, Seq: seq, Ops: []action.Op{{Kind: action.Remove}}}
	}
	s.ApplyEntry(act(1, 1), nil, nil)
	s.ApplyEntry(act(2, 1), nil, nil)
	s.Head += clients.Horizon - 2 // as if that many entries of the server had passed
	if len(s.clients.Sorted()) != 2 {
		t.Fatal("a row left early")
	}
	var u Undo
	before := string(s.AppendCheckpoint(nil, "s"))
	s.ApplyEntry(act(3, 1), &u, nil) // entry 1,000,001: the row of index 1 goes
	if rows := s.clients.Sorted(); len(rows) != 2 || rows[0].Client != (action.UUID{15: 2}) {
		t.Fatalf("%v", rows)
	}
	s.Unapply(&u)
	if got := string(s.AppendCheckpoint(nil, "s")); got != before {
		t.Fatal(got)
	}
}

func TestSizesAreBounded(t *testing.T) {
	s := NewState()
	id := action.UUID{0: 0x0b}.String()
	me := action.UUID{15: 1}.String()
	seq := 0
	apply := func(op string) Effect {
		t.Helper()
		seq++
		a, err := action.DecodeAction(`{"id":"` + action.UUID{14: byte(seq >> 8), 15: byte(seq)}.String() + `","client":"` + me + `","base":0,"seq":` + action.Itoa(seq) + `,"ops":[` + op + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		var e Effect
		s.ApplyEntry(a, nil, &e)
		return e
	}
	apply(`{"op":"create","object":"` + id + `","type":"t","fields":{"l":[]}}`)
	for i := range 10 {
		var values []string
		for j := range 1000 {
			values = append(values, action.Itoa(i*1000+j))
		}
		if e := apply(`{"op":"update","object":"` + id + `","union":{"l":[` + strings.Join(values, ",") + `]}}`); len(e.Ops[0].Keys) > 0 {
			t.Fatalf("union %d: %v", i, e)
		}
	}
	if e := apply(`{"op":"update","object":"` + id + `","union":{"l":[10000]}}`); len(e.Ops[0].Keys) != 1 || e.Ops[0].Keys[0].Reason != ReasonSize {
		t.Fatalf("10,001 elements: %v", e)
	}
	for range 4 {
		apply(`{"op":"update","object":"` + id + `","set":{"k` + action.Itoa(seq) + `":"` + strings.Repeat("x", 240_000) + `"}}`)
	}
	before := string(s.AppendCheckpoint(nil, "s"))
	room := action.MaxFieldsBytes - s.objects.at(0).bytes
	fits := room - len(`,"z":""`)
	if e := apply(`{"op":"update","object":"` + id + `","set":{"z":"` + strings.Repeat("x", fits+1) + `"}}`); !e.Discarded || e.Ops[0].Reason != ReasonSize {
		t.Fatalf("one byte too many: %v", e)
	}
	after := string(s.AppendCheckpoint(nil, "s"))
	if i := strings.Index(before, `{"fields"`); before[i:] != after[strings.Index(after, `{"fields"`):] {
		t.Fatal("a discarded update changed the object")
	}
	if e := apply(`{"op":"update","object":"` + id + `","set":{"z":"` + strings.Repeat("x", fits) + `"}}`); e.Discarded {
		t.Fatalf("exactly 1 MiB: %v", e)
	}
}

// An update that is discarded as too large has written nothing, also where it is applied without an undo record.
func TestATooLargeUpdateWritesNothing(t *testing.T) {
	object := action.UUID{0: 0x0b}.String()
	plain, saved := NewState(), NewState()
	seq := 0
	apply := func(op string) (e Effect) {
		t.Helper()
		seq++
		a, err := action.DecodeAction(`{"id":"` + action.UUID{15: byte(seq)}.String() + `","client":"` + action.UUID{15: 1}.String() + `","base":0,"seq":` + action.Itoa(seq) + `,"ops":[` + op + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		plain.ApplyEntry(a, nil, &e)
		saved.ApplyEntry(a, new(Undo), nil)
		return e
	}
	update := func(parts string) Effect { return apply(`{"op":"update","object":"` + object + `",` + parts + `}`) }
	apply(`{"op":"create","object":"` + object + `","type":"t","fields":{"a":1,"z":1}}`)
	for i := range 5 {
		update(`"set":{"k` + action.Itoa(i) + `":"` + strings.Repeat("x", 200<<10) + `"}`)
	}
	room := action.MaxFieldsBytes - plain.objects.at(0).bytes - 300
	update(`"set":{"q":"` + strings.Repeat("y", room-action.MemberBytes("q", `""`)) + `"}`)
	update(`"set":{"a":2,"z":2}`) // leaves room in the fields' slice
	if e := update(`"set":{"a":3,"b` + strings.Repeat(`\u0001`, 100) + `":1}`); e.Ops[0].Reason != ReasonSize {
		t.Fatalf("%+v", e)
	}
	if a, b := plain.AppendCheckpoint(nil, "s"), saved.AppendCheckpoint(nil, "s"); string(a) != string(b) {
		t.Fatal("a discarded update changed the object in place")
	}
}

func mustHold(t interface{ Fatal(...any) }, s *State) {
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}
