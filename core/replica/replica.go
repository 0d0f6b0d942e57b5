package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/refusal"
	"github.com/strandline-sync/strandline/core/state"
)

// Replica is one stream's local log in memory: the visible state, which is the confirmed one with the pending and
// then the uncommitted actions on top.
//
//	log:    1 … head | pending: committed to the local log | uncommitted: in memory
//
// Invariants: pending and uncommitted are applied, in order, on top of the confirmed state; every pending action has
// a seq, rising in order; no uncommitted action is ever sent. A Replica does no I/O: Stream carries out what it plans.
type Replica struct {
	name    string
	pace    *pace.Pace // of what takes long; nil: all at once
	log     record.Init
	next    locallog.LSN // of the next record
	fresh   bool         // it is being read: nobody has seen a row
	state   *state.State
	slab    action.Slab // of the actions that are its own
	lastSeq uint64      // the last seq that the local log gave

	former        []action.UUID // client ids that it had before
	q             *queue.Queue  // what is not in the log yet
	over          bool          // some of the queue was applied over what the records under way concern
	bare          bool          // nothing of it is applied
	rejected      refusal.List
	lastPersisted uint64     // the highest seq that it knows the log to have of this client id
	own           own.List   // what the log has of this client
	kept          own.Store  // and the actions themselves: a server that was restored may lack them
	marks         own.Marks  // where this device has been in the log
	resets        own.Resets // when another log took its place
	conflicts     conflict.List

	ordered []string // types whose rows say in which order their keys were written
	damage  damage   // of the local log, which cannot be written upon then

	drained map[action.UUID]bool // objects whose lock a drain may have ended that was offered and not answered

	base *locallog.Manifest   // the last local checkpoint that is known
	snap *checkpoint.Snapshot // the one under way, or nil

	claims     map[action.UUID]bool // of refused actions by what is not committed; nil: to be counted anew
	discards   []action.UUID        // refused actions that the next commit takes off the list
	dismissing []action.UUID        // those of the commit under way, by discards and retries
	effect     state.Effect         // room for that of one entry
	weights    []int                // bytes of the records after the last checkpoint
	weight     int                  // their sum
}

type Rejected = refusal.Rejected

func New(name string) *Replica {
	r := &Replica{name: name, state: state.NewState(), q: queue.New()}
	r.track(&locallog.Manifest{}, true)
	return r
}

// successor goes on from this replica over a state of the confirmed entries, with what it remembers, but without
// pending and refused actions.
func (r *Replica) successor(state *state.State) *Replica {
	next := &Replica{
		name: r.name, pace: r.pace, log: r.log, state: state, lastSeq: r.lastSeq, q: queue.New(),
		own: r.own.Clone(), kept: r.kept.Clone(), marks: r.marks.Clone(), resets: r.resets,
		conflicts: r.conflicts.Clone(),
		former:    slices.Clone(r.former), lastPersisted: r.lastPersisted,
	}
	return next
}

// OrderRows has the rows of some types tell in which order their keys were written; see State.InOrder.
func (r *Replica) OrderRows(types []string) {
	r.ordered = types
	r.state.InOrder(types, func(a, b action.UUID) bool { return r.q.IsBehind(a, b) })
}

// State is the visible state. Only the replica changes it.
func (r *Replica) State() *state.State { return r.state }

// dismiss takes refused actions off the list, and what was to discard them.
func (r *Replica) dismiss(ids ...action.UUID) {
	done := make(map[action.UUID]bool, len(ids))
	for _, id := range ids {
		r.rejected.Remove(id)
		done[id] = true
	}
	r.Discarded(done)
}

// WaitsFor tells whether an action is in the queue.
func (r *Replica) WaitsFor(id action.UUID) bool { return r.q.Find(id) != nil }

// Undos are those of all that is applied on top of the confirmed state, in order.
func (r *Replica) Undos() []*state.Undo {
	all := r.q.All()
	out := make([]*state.Undo, len(all))
	for i, l := range all {
		out[i] = &l.Undo
	}
	return out
}

// Check tells what of the replica's invariants does not hold, nil where all do. Tests and the simulator call it; it
// looks at everything.
func (r *Replica) Check() error {
	if err := r.state.Check(); err != nil {
		return err
	}
	if err := r.q.Check(); err != nil {
		return err
	}
	if n := len(r.q.Pending); n > 0 && (r.q.Pending[n-1].Seq > r.lastSeq || r.q.Pending[n-1].Client != r.log.Client) {
		return action.Fail(action.CodeInternal, "", "the last pending action has a later seq than the log gave")
	}
	return nil
}

// weigh takes note of a record behind the last checkpoint.
func (r *Replica) weigh(bytes int) {
	r.weights = append(r.weights, bytes)
	r.weight += bytes
}

// keepWeights forgets what the records up to lsn weigh.
func (r *Replica) keepWeights(lsn locallog.LSN) {
	if after := int(r.next) - 1 - int(lsn); after >= 0 && after < len(r.weights) {
		for _, bytes := range r.weights[:len(r.weights)-after] {
			r.weight -= bytes
		}
		r.weights = append(r.weights[:0:0], r.weights[len(r.weights)-after:]...)
	}
}
