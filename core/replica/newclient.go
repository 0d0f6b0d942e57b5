package replica

import (
	"github.com/strandline-sync/strandline/core/action"
)

// UnderNewClient is what the replica holds beside its objects, under another client id. What the old id has locked, or
// has touched and wants unchanged, would only be discarded: that is refused.
func (r *Replica) UnderNewClient(client action.UUID, now int64) *Replica {
	next := r.successor(r.state)
	next.log.client, next.lastSeq = client, 0
	for i := range next.own {
		next.own[i].seq = 0 // it was the former id's
	}
	next.rejected = append([]Rejected(nil), r.rejected...)
	refused := map[action.UUID]bool{}
	var gone []*local
	r.rebase(nil, func() {
		for _, l := range r.pending {
			if r.state.StandsForOld(&l.Action, client) {
				refused[l.ID] = true
				gone = append(gone, l)
				next.rejected = append(next.rejected, l.refusedAs(action.CodeClient, cloneMessage, now))
				continue
			}
			next.lastSeq++
			m := l.under(client)
			m.number(next.lastSeq)
			next.enqueue(m)
		}
		if len(refused) > 0 {
			next.refuseDependants(refused, gone)
		}
	})
	return next
}
