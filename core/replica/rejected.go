package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/refusal"
	"github.com/strandline-sync/strandline/core/undo"
)

// What was refused stays on a list of its own, in the local log, until the app has dealt with it: it tries again,
// which is a new action that takes the refused one's place, or discards it. Both are part of a commit record; whoever
// is first counts.

// RejectedList lists what was refused and not yet dealt with, oldest first.
func (r *Replica) RejectedList() []Rejected {
	out := make([]Rejected, 0, r.rejected.Len())
	for _, j := range r.rejected.All() {
		if !r.claimed()[j.ID] {
			out = append(out, j)
		}
	}
	return out
}

// Refusals is how long that list is.
func (r *Replica) Refusals() int {
	n := r.rejected.Len()
	for id := range r.claimed() {
		if r.rejected.Get(id) != nil {
			n--
		}
	}
	return n
}

// claimed are the refused actions whose place an uncommitted write takes, or that the next commit takes off the list.
func (r *Replica) claimed() map[action.UUID]bool {
	if r.claims == nil {
		r.claims = map[action.UUID]bool{}
		for _, l := range r.q.Uncommitted {
			if l.Retries != action.Nil {
				r.claims[l.Retries] = true
			}
		}
		for _, id := range r.discards {
			r.claims[id] = true
		}
	}
	return r.claims
}

// Refused is a refused action that is not dealt with, nil for another one.
func (r *Replica) Refused(id action.UUID) *Rejected {
	if r.claimed()[id] {
		return nil
	}
	return r.rejected.Get(id)
}

// Retry makes a draft of a refused action, with the same ops and guards. patch, where not empty, holds the parts of an
// update, that are laid over its one create or update.
func (r *Replica) Retry(d *queue.Draft, id action.UUID, patch string) error {
	j := r.Refused(id)
	if j == nil {
		return refusal.ErrNone()
	}
	ops := j.Action.Ops
	if patch != "" {
		patched, err := queue.PatchedOps(ops, patch)
		if err != nil {
			return err
		}
		ops = patched
	}
	b := []byte{'['}
	for i := range ops {
		if i > 0 {
			b = append(b, ',')
		}
		b = action.AppendOp(b, &ops[i])
	}
	d.Ops, d.Guards, d.Atomic, d.Retries = action.View(append(b, ']')), action.MemberOf(j.Action.Raw, "if"), j.Action.Atomic, id
	if undo.Target(j.Action.Meta) == action.Nil {
		d.Meta = j.Action.Meta
	}
	return nil
}

// Restore makes a draft that writes the value that has lost in a conflict again; one without ops where that stands already.
func (r *Replica) Restore(d *queue.Draft, c *conflict.Conflict) (err error) {
	d.Ops, err = c.Restored(r.state)
	return err
}

// DiscardSoon has the next commit take a refused action off the list.
func (r *Replica) DiscardSoon(id action.UUID) {
	r.claimed()[id] = true
	r.discards = append(r.discards, id)
}

// Discarded ends that, for those that it is true of.
func (r *Replica) Discarded(done map[action.UUID]bool) {
	if len(done) > 0 {
		r.discards = slices.DeleteFunc(r.discards, func(d action.UUID) bool { return done[d] })
		r.claims = nil
	}
}

// IsRejected tells whether an action is on the list, dealt with or not.
func (r *Replica) IsRejected(id action.UUID) bool { return r.rejected.Get(id) != nil }
