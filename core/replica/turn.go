package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/undo"
)

// Ask is the part of a turn's request that is about one stream.
// In an otherwise empty request one action goes, however large.
func (r *Replica) Ask(maxActions, maxBytes int, held func(action string) bool, empty bool) protocol.SyncItem {
	it := protocol.SyncItem{
		Stream: r.name, Client: r.log.Client, After: r.state.Head, Epoch: r.state.Epoch, Chain: r.state.Chain, Limit: protocol.MaxEntries,
	}
	for _, l := range r.q.Pending {
		if t := r.q.Get(undo.Target(l.Meta)); t != nil && r.q.IsBehind(l.ID, t.ID) { // what it takes back may come to nothing
			break
		}
		if len(it.Actions) == maxActions || len(l.Raw) > maxBytes && (len(it.Actions) > 0 || !empty) || held != nil && held(l.Raw) {
			break
		}
		maxBytes -= len(l.Raw) + 1
		it.Actions = append(it.Actions, l.Raw)
	}
	it.Drain = r.drains(len(it.Actions))
	return it
}

// Plan is what an answer leads to: the record to commit, nil where nothing changes, and whether there was activity.
type Plan struct {
	Record  []byte
	Turn    *record.Record // what the record says; its strings point into the answer
	Upgrade bool           // an entry that this version does not know ends what can be applied
}

// PlanTurn turns an answer to it into a plan against the replica as it is now. It changes nothing.
//
// An answer that cannot be followed (a hole, another chain, no valid action) is a bad-answer *Error; one whose
// request was made at another head is dropped without one.
func (r *Replica) PlanTurn(it *protocol.SyncItem, a *protocol.SyncAnswer, now int64, newClient func() action.UUID) (Plan, error) {
	s := r.state
	if it.After != s.Head || it.Client != r.log.Client || s.Chain != it.Chain {
		return Plan{}, nil // another context's turn was first: the next turn asks again
	}
	if a.Offer != nil && len(a.Entries) == 0 {
		return Plan{}, action.Fail(action.CodeBadAnswer, "/checkpoint", "it leads no further")
	}
	t := record.Turn{After: s.Head, Epoch: s.Epoch, Chain: s.Chain, At: now}
	if a.HasEpoch {
		t.Epoch = a.Epoch
	}
	var p Plan
	var err error
	if t.Entries, t.Chain, p.Upgrade, err = aside.Entries(a, s.Head, s.Chain); err != nil {
		return Plan{}, err
	}
	r.planRekey(&t, newClient)
	if len(a.Entries) == 0 {
		r.planPersisted(&t, it, a)
		r.planRejected(&t, a)
	}
	if len(t.Persisted) > 0 && t.Chain != a.Chain {
		return Plan{}, aside.ErrChain
	}
	if len(t.Entries)+len(t.Persisted)+len(t.Rejected) == 0 && t.Epoch == s.Epoch {
		return p, nil
	}
	p.holds(&t)
	return p, nil
}

// holds makes the plan's record.
func (p *Plan) holds(t *record.Turn) {
	p.Record = record.EncodeTurn(t)
	p.Turn = &record.Record{Kind: locallog.KindTurn, Bytes: len(p.Record), Turn: *t}
}

// planRekey gives the log another client id where another copy of the profile writes under the same one.
func (r *Replica) planRekey(t *record.Turn, newClient func() action.UUID) {
	known := r.lastPersisted
	for i := range t.Entries {
		a := &t.Entries[i].Action
		if a.Client == r.log.Client && a.Seq > known {
			if known = a.Seq; r.offered(a.ID) == nil {
				t.Rekey = newClient()
				return
			}
		}
	}
}

// planPersisted takes the verdict on an append at once where it covers head+1 … without a hole and the chain agrees;
// else the next fetch brings the entries.
func (r *Replica) planPersisted(t *record.Turn, it *protocol.SyncItem, a *protocol.SyncAnswer) {
	chain := t.Chain
	for i, ps := range a.Persisted {
		l := r.q.Get(ps.ID)
		if ps.Index != t.After+1+uint64(i) || l == nil || i >= len(it.Actions) || it.Actions[i] != l.Raw {
			return
		}
		chain = chain.Next(l.Raw)
	}
	if len(a.Persisted) == 0 || !a.HasChain || chain != a.Chain {
		return
	}
	for _, ps := range a.Persisted {
		t.Persisted = append(t.Persisted, ps.ID)
	}
	t.Chain = chain
}

func (r *Replica) planRejected(t *record.Turn, a *protocol.SyncAnswer) {
	refused := map[action.UUID]bool{}
	for _, j := range a.Rejected {
		if r.q.Get(j.ID) != nil && !refused[j.ID] {
			refused[j.ID] = true
			t.Rejected = append(t.Rejected, j)
		}
	}
	if len(refused) == 0 {
		return
	}
	var because map[action.UUID]action.UUID
	behind := r.behind(refused)
	r.rebase(behind, func() { because = r.dependants(refused) })
	for _, l := range behind {
		if b, ok := because[l.ID]; ok {
			t.Rejected = append(t.Rejected, action.Rejection{ID: l.ID, Code: action.CodeDepends, Message: dependsMessage, Because: b})
		}
	}
}
