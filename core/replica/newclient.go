package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// goOnAs gives this local log another client id, under which what is pending is numbered anew: another copy of the
// profile writes under the present one. What the old id has locked, or has touched and wants unchanged, would only be
// discarded: that is refused, with what depends on it. Nothing pending is applied.
func (r *Replica) goOnAs(client action.UUID, at int64, land *Landing) {
	r.former = append(r.former, r.log.Client)
	r.log.Client, r.lastSeq, r.lastPersisted = client, 0, 0
	r.own.Renamed()
	refused := map[action.UUID]bool{}
	for _, l := range r.q.All() {
		if r.state.StandsForOld(&l.Action, client) {
			refused[l.ID] = true
			r.refuse(l, action.Rejection{ID: l.ID, Code: action.CodeClient, Message: cloneMessage}, at, land)
		}
	}
	because := r.dependants(refused)
	r.takeOut(refused)
	r.refuseDependants(because, at, land)
	left := len(r.q.Pending)
	r.q.Replace(func(l *queue.Local) *queue.Local {
		m := l.Under(client)
		if left > 0 {
			left--
			r.lastSeq++
			m.Number(r.lastSeq)
		}
		return m
	})
}

// wrote tells whether a write is this local log's: under its client id, or under a former one, which another copy shares.
func (r *Replica) wrote(t *state.Touch) bool {
	return t.Client == r.log.Client || slices.Contains(r.former, t.Client) && r.own.Find(t.Action) != nil
}

// PlanRekey is the record that gives this local log another client id.
func (r *Replica) PlanRekey(client action.UUID, now int64) (p Plan) {
	s := r.state
	p.holds(&record.Turn{After: s.Head, Epoch: s.Epoch, Chain: s.Chain, At: now, Rekey: client})
	return p
}
