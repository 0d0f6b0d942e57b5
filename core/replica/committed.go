package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// What follows is for who shows what is committed (rows). It holds until the next change.

// Queue is what is not in the log yet. Only the replica changes it.
func (r *Replica) Queue() *queue.Queue { return r.q }

// Founded tells what record 0 says.
func (r *Replica) Founded() (client action.UUID, conflictFree bool) {
	return r.log.Client, r.log.ConflictFree
}

// RefusedThen is how many refused actions nobody has dealt with by what is committed; committing: when the record is there, too, that
// CommitRecord has built last.
func (r *Replica) RefusedThen(committing bool) int {
	n := r.rejected.Len()
	if committing {
		gone := map[action.UUID]bool{}
		for _, id := range r.dismissing {
			if r.IsRejected(id) && !gone[id] {
				gone[id] = true
				n--
			}
		}
	}
	return n
}

// Over calls f while what is pending is applied, of a replica where nothing is.
func (r *Replica) Over(f func()) {
	for _, l := range r.q.Pending {
		r.apply(l)
	}
	f()
	for i := len(r.q.Pending) - 1; i >= 0; i-- {
		r.unapply(r.q.Pending[i])
	}
}
