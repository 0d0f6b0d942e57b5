package record

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
	"github.com/strandline-sync/strandline/core/locallog"
)

func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turn := Turn{After: rapid.Uint64().Draw(t, "after"), Epoch: action.UUID{3}, Chain: action.Chain(rapid.Uint64().Draw(t, "chain")),
			Entries: []action.Entry{}, Persisted: []action.UUID{}, Rejected: []action.Rejection{}}
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			turn.Entries = append(turn.Entries, action.Entry{Stored: int64(i) << 40, By: rapid.String().Draw(t, "by"), Action: *actiontest.Action(t, i, 9)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "persisted") {
			turn.Persisted = append(turn.Persisted, action.UUID{byte(i)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "rejected") {
			turn.Rejected = append(turn.Rejected, action.Rejection{ID: action.UUID{byte(i)}, Code: "invalid", Message: rapid.String().Draw(t, "message"), Because: action.UUID{9}})
		}
		got, err := Decode(EncodeTurn(&turn))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Turn.Entries {
			if got.Turn.Entries[i].Action.Raw != turn.Entries[i].Action.Raw {
				t.Fatal("another action came back")
			}
			got.Turn.Entries[i].Action, turn.Entries[i].Action = action.Action{}, action.Action{}
		}
		if !reflect.DeepEqual(got.Turn, turn) {
			t.Fatalf("\n got %+v\nwant %+v", got.Turn, turn)
		}
	})
}

// A flipped bit anywhere, a cut, or bytes added: a record is corrupt, and never another one, or a newer version's.
func TestDamagedRecordsAreRefused(t *testing.T) {
	whole := EncodeInit(Init{Log: action.UUID{1}, Client: action.UUID{2}, User: "someone", ConflictFree: true})
	if r, err := Decode(whole); err != nil || r.Init.User != "someone" || !r.Init.ConflictFree {
		t.Fatalf("%+v, %v", r, err)
	}
	for i := range whole {
		for bit := range 8 {
			b := append([]byte(nil), whole...)
			b[i] ^= 1 << bit
			if r, err := Decode(b); action.CodeOf(err) != action.CodeCorrupt {
				t.Fatalf("byte %d, bit %d: %+v", i, bit, r)
			}
		}
		if _, err := Decode(whole[:i]); action.CodeOf(err) != action.CodeCorrupt {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := Decode(append(append([]byte(nil), whole...), 0)); action.CodeOf(err) != action.CodeCorrupt {
		t.Fatal(err)
	}
	newer := append([]byte(nil), whole...)
	newer[0] = 7
	if _, err := Decode(newer); action.CodeOf(err) != action.CodeUpgrade {
		t.Fatal(err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(EncodeInit(Init{User: "u"})[locallog.HeaderBytes:], byte('i'))
	f.Add(EncodeTurn(&Turn{Persisted: []action.UUID{{1}}})[locallog.HeaderBytes:], byte('t'))
	f.Add(EncodeCommit([]string{`{}`}, nil, nil)[locallog.HeaderBytes:], byte('c'))
	f.Fuzz(func(t *testing.T, body []byte, kind byte) {
		e := locallog.NewRecord(locallog.Kind(kind), len(body))
		e.Raw(body)
		if r, err := Decode(locallog.Finish(e)); (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
	})
}
