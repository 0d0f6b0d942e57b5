package core

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turn := turnRecord{after: rapid.Uint64().Draw(t, "after"), epoch: UUID{3}, chain: Chain(rapid.Uint64().Draw(t, "chain")),
			entries: []Entry{}, persisted: []UUID{}, rejected: []Rejection{}}
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			turn.entries = append(turn.entries, Entry{Stored: int64(i) << 40, By: rapid.String().Draw(t, "by"), Action: *genAction(t, i, 9)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "persisted") {
			turn.persisted = append(turn.persisted, UUID{byte(i)})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "rejected") {
			turn.rejected = append(turn.rejected, Rejection{ID: UUID{byte(i)}, Code: "invalid", Message: rapid.String().Draw(t, "message"), Because: UUID{9}})
		}
		got, err := decodeRecord(encodeTurn(&turn))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.turn.entries {
			if got.turn.entries[i].Action.Raw != turn.entries[i].Action.Raw {
				t.Fatal("another action came back")
			}
			got.turn.entries[i].Action, turn.entries[i].Action = Action{}, Action{}
		}
		if !reflect.DeepEqual(got.turn, turn) {
			t.Fatalf("\n got %+v\nwant %+v", got.turn, turn)
		}
	})
}

// A flipped bit anywhere, a cut, or bytes added: a record is corrupt or newer, never another one.
func TestDamagedRecordsAreRefused(t *testing.T) {
	whole := encodeInit(initRecord{log: UUID{1}, client: UUID{2}, user: "someone", conflictFree: true})
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
		if _, err := decodeRecord(whole[:i]); CodeOf(err) != CodeCorrupt {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if _, err := decodeRecord(append(append([]byte(nil), whole...), 0)); CodeOf(err) != CodeCorrupt {
		t.Fatal(err)
	}
	newer := append([]byte(nil), whole...)
	newer[0] = RecordFormat + 1
	if _, err := decodeRecord(newer); CodeOf(err) != CodeUpgrade {
		t.Fatal(err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encodeInit(initRecord{user: "u"})[recordHeader:], byte('i'))
	f.Add(encodeTurn(&turnRecord{persisted: []UUID{{1}}})[recordHeader:], byte('t'))
	f.Add(encodeCommit([]string{`{}`}, nil)[recordHeader:], byte('c'))
	f.Fuzz(func(t *testing.T, body []byte, kind byte) {
		e := newRecord(recordKind(kind), len(body))
		e.raw(body)
		if r, err := decodeRecord(finishRecord(e)); (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
	})
}
