package replica

import (
	"fmt"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
)

// refusedReplica has an object that others have made, and a refused update of it and a refused create.
func refusedReplica(t *testing.T) *Replica {
	t.Helper()
	r := New("s")
	do := func(blob []byte) {
		t.Helper()
		rec, err := record.Decode(blob)
		if err == nil {
			_, err = r.Follow([]*record.Record{rec})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	do(record.EncodeInit(record.Init{Log: action.UUID{15: 1}, Client: me}))
	made := foreignEntry(t, 1, `{"op":"create","object":"`+action.UUID{0: 1}.String()+`","type":"t","fields":{"a":1}}`)
	do(record.EncodeTurn(&record.Turn{Entries: []action.Entry{{Action: *made}}, Chain: action.Chain(0).Next(made.Raw)}))
	for i, ops := range []string{`[{"op":"update","object":"` + action.UUID{0: 1}.String() + `","set":{"a":2}}]`, `[{"op":"create","object":"` + action.UUID{0: 2}.String() + `","type":"t","fields":{"a":[1]}}]`} {
		if _, err := r.write(&queue.Draft{ID: action.UUID{0: 0xaa, 15: byte(i)}, Ops: ops}, uint64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	blob, n, _ := r.CommitRecord()
	r.Committed(n, len(blob))
	do(record.EncodeTurn(&record.Turn{After: 1, Chain: r.state.Chain, At: 7, Rejected: []action.Rejection{{ID: action.UUID{0: 0xaa}, Code: "no", Message: "m"}, {ID: action.UUID{0: 0xaa, 15: 1}, Code: "no", Message: "m"}}}))
	if n := len(r.RejectedList()); n != 2 || r.RejectedList()[0].At != 7 {
		t.Fatalf("%+v", r.RejectedList())
	}
	return r
}

func foreignEntry(t *testing.T, seq int, ops string) *action.Action {
	t.Helper()
	a, err := action.DecodeAction(fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[%s],"seq":%d}`, action.UUID{15: 9}, action.UUID{0: 0xbb, 15: byte(seq)}, ops, seq))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What cannot be tried again is told, and stays on the list.
func TestARetryThatCannotBeChangesNothing(t *testing.T) {
	r := refusedReplica(t)
	remove := foreignEntry(t, 2, `{"op":"remove","object":"`+action.UUID{0: 1}.String()+`"}`)
	if _, err := r.Follow([]*record.Record{{Kind: locallog.KindTurn, Turn: record.Turn{After: 1, Entries: []action.Entry{{Action: *remove}}, Chain: r.state.Chain.Next(remove.Raw)}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, patch, code string
		id                action.UUID
	}{
		{"whose object is gone", "", action.CodeNotFound, action.UUID{0: 0xaa}},
		{"of nothing", "", action.CodeNotFound, action.UUID{0: 0xcc}},
		{"with a part that does not merge", `{"inc":{"a":1}}`, action.CodeInvalid, action.UUID{0: 0xaa, 15: 1}},
		{"with a reserved key", `{"set":{"id":1}}`, action.CodeMalformed, action.UUID{0: 0xaa, 15: 1}},
		{"with no JSON", `{"set":}`, action.CodeMalformed, action.UUID{0: 0xaa, 15: 1}},
	} {
		d := &queue.Draft{ID: action.UUID{0: 0xdd}}
		err := r.Retry(d, c.id, c.patch)
		if err == nil {
			_, err = r.write(d, 9)
		}
		if action.CodeOf(err) != c.code || len(r.RejectedList()) != 2 || len(r.q.Uncommitted) != 0 {
			t.Errorf("%s: %v, %d on the list", c.name, err, len(r.RejectedList()))
		}
	}
	d := &queue.Draft{ID: action.UUID{0: 0xde}}
	if err := r.Retry(d, action.UUID{0: 0xaa, 15: 1}, `{"set":{"b":true},"union":{"a":[2]}}`); err != nil {
		t.Fatal(err)
	}
	l, err := r.write(d, 10)
	want := `{"op":"create","object":"` + action.UUID{0: 2}.String() + `","type":"t","fields":{"a":[1,2],"b":true}}`
	if err != nil || string(action.AppendOp(nil, &l.Ops[0])) != want {
		t.Fatalf("%v: %s", err, d.Ops)
	}
	if list := r.RejectedList(); len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	if r.Abandon(); len(r.RejectedList()) != 2 { // it could not be committed: it is refused as before
		t.Fatalf("%+v", r.RejectedList())
	}
}

// Records and checkpoints of versions that knew nothing of history are read.
func TestRecordsWithoutHistoryAreRead(t *testing.T) {
	old := record.EncodeCommit([]string{`{"base":0,"client":"` + me.String() + `","id":"` + action.UUID{0: 1}.String() + `","ops":[{"object":"` + action.UUID{0: 2}.String() + `","op":"remove"}],"seq":1}`}, nil, nil)
	if rec, err := record.Decode(old); err != nil || len(rec.Actions) != 1 || rec.Dismissed != nil {
		t.Fatal(rec, err)
	}
	e := locallog.NewRecord(locallog.KindTurn, 64) // ends with the refused ones
	e.Uint(0)
	e.UUID(action.Nil)
	e.Chain(0)
	e.Uint(0)
	e.Uint(0)
	e.Uint(0)
	if rec, err := record.Decode(locallog.Finish(e)); err != nil || rec.Turn.At != 0 {
		t.Fatal(err)
	}
	r := refusedReplica(t)
	whole := r.Rest(new(own.Cut))
	h := locallog.NewRecord(locallog.KindRest, 0)
	r.encodeHistory(h)
	r.encodeLineage(h, new(own.Cut))
	body := whole[locallog.HeaderBytes : len(whole)-len(h.B)+locallog.HeaderBytes]
	cut := locallog.NewRecord(locallog.KindRest, len(body))
	cut.B = append(cut.B, body...)
	back := New("s")
	first := locallog.Finish(cut)
	first[0] = 1 // the first format
	if err := back.readRest(first, nil); err != nil || back.rejected.Len() != 2 || back.rejected.All()[0].At != 0 {
		t.Fatal(err)
	}
}
