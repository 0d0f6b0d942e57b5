package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/refusal"
	"github.com/strandline-sync/strandline/core/undo"
)

// CommitRecord builds the record that makes the first uncommitted actions pending, up to maxCommitBytes, and says how many it
// holds, and the last ticket.
func (r *Replica) CommitRecord() (out []byte, n int, upTo uint64) {
	var raws []string
	r.dismissing = append([]action.UUID(nil), r.discards...)
	size := 0
	for i, l := range r.q.Uncommitted {
		l.Number(r.lastSeq + 1 + uint64(i))
		if size += len(l.Raw); size > maxCommitBytes && i > 0 {
			break
		}
		raws = append(raws, l.Raw)
		r.pace.Took(pace.Look)
		if l.Retries != action.Nil {
			r.dismissing = append(r.dismissing, l.Retries)
		}
	}
	if n = len(raws); n > 0 {
		upTo = r.q.Uncommitted[n-1].Ticket
	}
	return record.EncodeCommit(raws, r.dismissing, r.pace), n, upTo
}

// maxCommitBytes bounds one record, and with it the memory that a commit needs twice over.
const maxCommitBytes = 8 << 20

// Committed takes note that the record of the first n uncommitted actions is durable.
func (r *Replica) Committed(n, bytes int) {
	r.q.Commit(n)
	r.dismiss(r.dismissing...)
	r.dismissing, r.claims = nil, nil
	r.lastSeq += uint64(n)
	r.next++
	r.weigh(bytes)
}

// Abandon takes back every uncommitted action, and what would be discarded: none of them was kept, none will be.
func (r *Replica) Abandon() (dropped []*queue.Local, shown []action.UUID) {
	dropped = slices.Clone(r.q.Uncommitted)
	gone := make(map[action.UUID]bool, len(dropped))
	for _, l := range dropped {
		gone[l.ID] = true
	}
	shown = r.rebase(dropped, func() { r.q.Remove(gone) })
	r.discards, r.claims = nil, nil
	return dropped, shown
}

// dropPointless takes out the uncommitted writes whose target another context has dealt with: an undo of what is undone, a retry of
// what is not on the list any more. Nothing uncommitted is applied.
func (r *Replica) dropPointless(land *Landing) {
	gone := map[action.UUID]bool{}
	for _, l := range r.q.Uncommitted {
		if err := r.pointless(l); err != nil {
			land.Dropped = append(land.Dropped, dropped{l, err})
			gone[l.ID] = true
		}
	}
	because := r.dependants(gone)
	r.takeOut(gone)
	r.refuseUncommitted(because, land)
}

func (r *Replica) pointless(l *queue.Local) error {
	if l.Retries != action.Nil && !r.IsRejected(l.Retries) {
		return refusal.ErrNone()
	}
	if r.undoneElsewhere(l) {
		return undo.ErrNothing
	}
	return nil
}
