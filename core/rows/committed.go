package rows

import (
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// committed is a stream as who reads the local log sees it: without what is not committed. It holds until the next change.
type committed struct {
	*replica.Replica
	*queue.Queue
	state.Images
	n       int // of the uncommitted actions count as pending: those of a record under way
	refused int
}

// asCommitted looks at it; with a record under way of n actions as it will be when that is there.
func asCommitted(r *replica.Replica, committing bool, n int) *committed {
	q := r.Queue()
	undos := make([]*state.Undo, 0, len(q.Uncommitted)-n)
	for _, l := range q.Uncommitted[n:] {
		undos = append(undos, &l.Undo)
	}
	return &committed{r, q, r.State().Images(undos), n, r.RefusedThen(committing)}
}
