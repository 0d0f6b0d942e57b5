package replica

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
		turn := turnRecord{after: rapid.Uint64().Draw(t, "after"), epoch: action.UUID{3}, chain: action.Chain(rapid.Uint64().Draw(t, "chain")),
			entries: []action.Entry{}, persisted: []action.UUID{}, rejected: []action.Rejection{}}
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			turn.entries = append(turn.entries, action.Entry{Stored: int64(i) << 40, By: rapid.String().Draw(t, "by"), Action: *actiontest.Action(t, i, 9)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "persisted") {
			turn.persisted = append(turn.persisted, action.UUID{byte(i)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "rejected") {
			turn.rejected = append(turn.rejected, action.Rejection{ID: action.UUID{byte(i)}, Code: "invalid", Message: rapid.String().Draw(t, "message"), Because: action.UUID{9}})
		}
		got, err := decodeRecord(encodeTurn(&turn))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.turn.entries {
			if got.turn.entries[i].Action.Raw != turn.entries[i].Action.Raw {
				t.Fatal("another action came back")
			}
			got.turn.entries[i].Action, turn.entries[i].Action = action.Action{}, action.Action{}
		}
		if !reflect.DeepEqual(got.turn, turn) {
			t.Fatalf("\n got %+v\nwant %+v", got.turn, turn)
		}
	})
}

// A flipped bit anywhere, a cut, or bytes added: a record is corrupt or newer, never another one.
func TestDamagedRecordsAreRefused(t *testing.T) {
	whole := encodeInit(initRecord{log: action.UUID{1}, client: action.UUID{2}, user: "someone", conflictFree: true})
	if r, err := decodeRecord(whole); err != nil || r.init.user != "someone" || !r.init.conflictFree {
		t.Fatalf("%+v, %v", r, err)
	}
	for i := range whole {
		for bit := range 8 {
			b := append([]byte(nil), whole...)
			b[i] ^= 1 << bit
			if r, err := decodeRecord(b); err == nil && i != 1 { // the kind is known by its body's form
				t.Fatalf("byte %d, bit %d: %+v", i, bit, r)
			}
		}
		if _, err := decodeRecord(whole[:i]); action.CodeOf(err) != action.CodeCorrupt {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := decodeRecord(append(append([]byte(nil), whole...), 0)); action.CodeOf(err) != action.CodeCorrupt {
		t.Fatal(err)
	}
	newer := append([]byte(nil), whole...)
	newer[0] = locallog.RecordFormat + 1
	if _, err := decodeRecord(newer); action.CodeOf(err) != action.CodeUpgrade {
		t.Fatal(err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encodeInit(initRecord{user: "u"})[locallog.HeaderBytes:], byte('i'))
	f.Add(encodeTurn(&turnRecord{persisted: []action.UUID{{1}}})[locallog.HeaderBytes:], byte('t'))
	f.Add(encodeCommit([]string{`{}`}, nil, nil)[locallog.HeaderBytes:], byte('c'))
	f.Fuzz(func(t *testing.T, body []byte, kind byte) {
		e := locallog.NewRecord(locallog.Kind(kind), len(body))
		e.Raw(body)
		if r, err := decodeRecord(locallog.Finish(e)); (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
	})
}
