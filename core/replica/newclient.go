package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// goOnAs gives this local log another client id, under which what is pending is numbered anew: another copy of the
// profile writes under the present one. What the old id has locked, or has touched and wants unchanged, would only be
// discarded: that is refused, with what depends on it. Nothing pending is applied.
func (r *Replica) goOnAs(client action.UUID, at int64, land *Landing) {
	r.former = append(r.former, r.log.client)
	r.log.client, r.lastSeq = client, 0
	for i := range r.own {
		r.own[i].seq = 0 // it was the former id's
	}
	refused := map[action.UUID]bool{}
	var gone []*local
	keep := func(queue []*local) (kept []*local) {
		for _, l := range queue {
			if !r.state.StandsForOld(&l.Action, client) {
				kept = append(kept, l.under(client))
				continue
			}
			refused[l.ID], gone = true, append(gone, l)
			r.count(&l.Action, -1)
			j := l.refusedAs(action.CodeClient, cloneMessage, at)
			if r.byID[l.ID] != nil {
				delete(r.byID, l.ID)
				r.rejected = append(r.rejected, j)
			}
			land.Rejected = append(land.Rejected, j)
		}
		return kept
	}
	r.pending, r.uncommitted = keep(r.pending), keep(r.uncommitted)
	if len(refused) > 0 {
		before := len(r.rejected)
		r.refuseUncommitted(refused, land, gone)
		r.refuseDependants(refused, gone, at)
		land.Rejected = append(land.Rejected, r.rejected[before:]...)
	}
	for _, l := range r.pending {
		r.lastSeq++
		l.number(r.lastSeq)
		r.byID[l.ID] = l
	}
}

// wrote tells whether a write is this local log's: under its client id, or under a former one, which another copy shares.
func (r *Replica) wrote(t *state.Touch) bool {
	return t.Client == r.log.client || slices.Contains(r.former, t.Client) && r.findOwn(t.Action) != nil
}

// PlanRekey is the record that gives this local log another client id.
func (r *Replica) PlanRekey(client action.UUID, now int64) (p Plan) {
	s := r.state
	p.holds(&turnRecord{after: s.Head, epoch: s.Epoch, chain: s.Chain, at: now, rekey: client})
	return p
}
