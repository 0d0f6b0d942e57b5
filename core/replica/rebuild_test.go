package replica

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// rebuildCase is one of tests/vectors/rebuild/cases.json: a client has followed the old log and has actions pending; the new one takes its place.
type rebuildCase struct {
	Name       string            `json:"name"`
	Client     string            `json:"client"`
	Old        []json.RawMessage `json:"old"`
	New        []json.RawMessage `json:"new"`
	Pending    []json.RawMessage `json:"pending"`
	Checkpoint int               `json:"checkpoint"` // stands for so many entries of the new log
	Reason     string            `json:"reason"`
	Expect     struct {
		Common   uint64   `json:"common"`
		Base     *uint64  `json:"base"` // of what is pending
		Returned []string `json:"returned"`
		Refused  []string `json:"refused"`
		Dropped  []string `json:"dropped"`
		Unknown  []string `json:"unknown"`
		Lost     []string `json:"lost"`
		Pending  []string `json:"pending"`
	} `json:"expect"`
}

func TestRebuildVectors(t *testing.T) {
	text, err := os.ReadFile("../../tests/vectors/rebuild/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Format int           `json:"format"`
		Cases  []rebuildCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &file); err != nil || file.Format != 1 || len(file.Cases) == 0 {
		t.Fatal(err, len(file.Cases))
	}
	for i := range file.Cases {
		c := &file.Cases[i]
		t.Run(c.Name, c.run)
	}
}

func actionsOf(t *testing.T, raws []json.RawMessage) (out []*action.Action) {
	for _, raw := range raws {
		canon, err := action.Canonical(string(raw), action.MaxDepth)
		if err != nil {
			t.Fatal(err)
		}
		a, err := action.DecodeAction(canon)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// answerOf is the server's, of a log from a place on.
func answerOf(log []*action.Action, after int, epoch action.UUID) *protocol.SyncAnswer {
	a := &protocol.SyncAnswer{HasEpoch: true, Epoch: epoch, Head: uint64(len(log)), HasChain: true}
	for i, e := range log {
		a.Chain = a.Chain.Next(e.Raw)
		if i >= after {
			a.Entries = append(a.Entries, protocol.WireEntry{Index: uint64(i + 1), Stored: "2026-01-01T00:00:00.000Z", Action: e.Raw})
		}
	}
	return a
}

func (c *rebuildCase) run(t *testing.T) {
	client, _ := action.ParseUUID(c.Client)
	old, new, pending := actionsOf(t, c.Old), actionsOf(t, c.New), actionsOf(t, c.Pending)
	records := [][]byte{NewLog(action.UUID{1}, client, "", false)}
	// Own actions are committed, and then come in as entries one by one, as they did.
	turn := record.Turn{Epoch: action.UUID{2}}
	for _, a := range old {
		if a.Client == client {
			records = append(records, record.EncodeCommit([]string{a.Raw}, nil, nil))
		}
		turn.Entries = []action.Entry{{Stored: 1, Action: *a}}
		turn.Chain = turn.Chain.Next(a.Raw)
		records = append(records, record.EncodeTurn(&turn))
		turn.After++
	}
	for _, a := range pending {
		records = append(records, record.EncodeCommit([]string{a.Raw}, nil, nil))
	}
	r := New("s")
	decoded, err := record.DecodeAll(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Follow(decoded); err != nil {
		t.Fatal(err)
	}
	a := r.NewAside()
	it := a.Ask(100, r.Marks())
	answer := answerOf(new, 0, action.UUID{3})
	for _, m := range it.Marks { // what the server says
		if at := int(m.Index); at <= len(new) && answerOf(new[:at], 0, action.UUID{}).Chain == m.Chain {
			answer.Common = max(answer.Common, m.Index)
		}
	}
	a.Hear(answer)
	if c.Checkpoint > 0 {
		s := state.Fold(new[:c.Checkpoint])
		s.Epoch = action.UUID{3}
		a.Begin(s)
		it = a.Ask(100, r.Marks())
	}
	if more, err := a.Take(&it, answerOf(new, c.Checkpoint, action.UUID{3}), nil); err != nil || more {
		t.Fatal(more, err)
	}
	kept, err := r.kept.All(nil)
	if err != nil {
		t.Fatal(err)
	}
	before := string(r.state.AppendCheckpoint(nil, "s"))
	next, err := r.PlanRebuild(a, Rebuilding{Reason: c.Reason}, kept, action.UUID{9}, 7)
	if err != nil {
		t.Fatal(err)
	}
	if after := string(r.state.AppendCheckpoint(nil, "s")); after != before {
		t.Error("the replica of before has changed")
	}
	if a.Common != c.Expect.Common {
		t.Errorf("common %d, want %d", a.Common, c.Expect.Common)
	}
	same := func(what string, got []action.UUID, want []string) {
		var ids []string
		for _, id := range got {
			ids = append(ids, id.String())
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s %v, want %v", what, ids, want)
		}
	}
	resets := next.ResetList()
	reset := resets[len(resets)-1]
	same("returned", reset.Returned, c.Expect.Returned)
	same("refused", reset.Refused, c.Expect.Refused)
	same("dropped", reset.Dropped, c.Expect.Dropped)
	same("unknown", reset.Unknown, c.Expect.Unknown)
	same("lost", reset.Lost, c.Expect.Lost)
	var ids []action.UUID
	for i, l := range next.q.Pending {
		if ids = append(ids, l.ID); c.Expect.Base != nil && l.Action.Base > *c.Expect.Base {
			t.Errorf("%s has the base %d", l.ID, l.Action.Base)
		}
		if i > 0 && l.Seq <= next.q.Pending[i-1].Seq || l.Seq <= next.state.LastSeq(client) {
			t.Errorf("%s has the seq %d", l.ID, l.Seq)
		}
	}
	same("pending", ids, c.Expect.Pending)
	if got, want := string(next.state.AppendCheckpoint(nil, "s")), foldOf(new); got != want {
		t.Errorf("the state is not the new log's:\n%s\n%s", got, want)
	}
	// The uncommitted of before goes on top, and the invariants hold.
	if _, committed := next.TakeOver(r); committed != 0 {
		t.Error(committed)
	}
	if err := next.Check(); err != nil {
		t.Error(err)
	}
}

func foldOf(log []*action.Action) string {
	s := state.Fold(log)
	s.Epoch = action.UUID{3}
	return string(s.AppendCheckpoint(nil, "s"))
}
