package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
)

// CommitRecord builds the record that makes the first uncommitted actions pending, up to maxCommitBytes, and says how many it
// holds, and the last ticket.
func (r *Replica) CommitRecord() (record []byte, n int, upTo uint64) {
	var raws []string
	r.dismissing = append([]action.UUID(nil), r.discards...)
	size := 0
	for i, l := range r.uncommitted {
		l.number(r.lastSeq + 1 + uint64(i))
		if size += len(l.Raw); size > maxCommitBytes && i > 0 {
			break
		}
		raws = append(raws, l.Raw)
		if l.retries != action.Nil {
			r.dismissing = append(r.dismissing, l.retries)
		}
	}
	if n = len(raws); n > 0 {
		upTo = r.uncommitted[n-1].Ticket
	}
	return encodeCommit(raws, r.dismissing), n, upTo
}

// maxCommitBytes bounds one record, and with it the memory that a commit needs twice over.
const maxCommitBytes = 8 << 20

// Committed takes note that the record of the first n uncommitted actions is durable.
func (r *Replica) Committed(n, bytes int) {
	for _, l := range r.uncommitted[:n] {
		r.byID[l.ID] = l
	}
	for _, id := range r.dismissing {
		r.dismiss(id)
	}
	r.dismissing = nil
	r.pending = append(r.pending, r.uncommitted[:n]...)
	r.uncommitted = append(r.uncommitted[:0:0], r.uncommitted[n:]...)
	r.lastSeq += uint64(n)
	r.next++
	r.weights = append(r.weights, bytes)
}

// Abandon takes back every uncommitted action, and what would be discarded: none of them was kept, none will be.
func (r *Replica) Abandon() (dropped []*local) {
	r.rebase(nil, func() {
		dropped = r.uncommitted
		for _, l := range r.uncommitted {
			r.count(&l.Action, -1)
		}
		r.uncommitted = nil
	})
	r.discards = nil
	return dropped
}

// dropPointless takes out the uncommitted writes whose target another context has dealt with: an undo of what is undone, a retry of
// what is not on the list any more. Nothing pending is applied.
func (r *Replica) dropPointless(land *Landing) {
	gone, before := map[action.UUID]bool{}, []*local(nil)
	r.uncommitted = slices.DeleteFunc(r.uncommitted, func(l *local) bool {
		err := r.pointless(l)
		if err != nil {
			r.count(&l.Action, -1)
			land.Dropped = append(land.Dropped, dropped{l, err})
			gone[l.ID], before = true, append(before, l)
		}
		return err != nil
	})
	if len(gone) > 0 {
		r.refuseUncommitted(gone, land, before)
	}
}

func (r *Replica) pointless(l *local) error {
	if l.retries != action.Nil && !slices.ContainsFunc(r.rejected, func(j Rejected) bool { return j.ID == l.retries }) {
		return ErrNotRefused()
	}
	if r.undoneElsewhere(l) {
		return errNothingToUndo
	}
	return nil
}
