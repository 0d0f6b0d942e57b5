package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
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
	log     initRecord
	next    locallog.LSN // of the next record
	fresh   bool         // it is being read: nobody has seen a row
	state   *state.State
	slab    action.Slab // of the actions that are its own
	lastSeq uint64      // the last seq that the local log gave

	former      []action.UUID // client ids that it had before
	pending     []*local
	uncommitted []*local
	byID        map[action.UUID]*local // pending ones
	touching    map[action.UUID]int    // object → how many pending and uncommitted actions name it
	rejected    []Rejected
	own         []ownEntry // what the log has of this client, oldest first; the last 10,000
	conflicts   []Conflict // oldest first

	inverseFrom   int // of the own ones before, no inverse is kept
	inverseBytes  int
	conflictBytes int

	drained map[action.UUID]bool // objects whose lock a drain may have ended that was offered and not answered

	base *locallog.Manifest // the last local checkpoint that is known
	snap *Snapshot          // the one under way, or nil

	keep       int           // how many of them; 0 for DefaultConflicts
	discards   []action.UUID // refused actions that the next commit takes off the list
	dismissing []action.UUID // those of the commit under way, by discards and retries
	effect     state.Effect  // room for that of one entry
	weights    []int         // bytes of the records after the last checkpoint
}

// Rejected is a refused action that its author has yet to deal with.
type Rejected struct {
	action.Rejection
	At     int64 // when it was heard of, Unix milliseconds; 0 for not known
	Action action.Action
	Ticket uint64
}

func New(name string) *Replica {
	r := &Replica{name: name, state: state.NewState(), byID: map[action.UUID]*local{}, touching: map[action.UUID]int{}}
	r.track(&locallog.Manifest{}, true)
	return r
}

// successor goes on from this replica over a state of the confirmed entries, with what it remembers, but without
// pending and refused actions.
func (r *Replica) successor(state *state.State) *Replica {
	next := &Replica{
		name: r.name, log: r.log, state: state, lastSeq: r.lastSeq, byID: map[action.UUID]*local{}, touching: map[action.UUID]int{},
		own: slices.Clone(r.own), conflicts: slices.Clone(r.conflicts), keep: r.keep,
		conflictBytes: r.conflictBytes, former: slices.Clone(r.former),
	}
	next.weighInverses()
	return next
}

// State is the visible state. Only the replica changes it.
func (r *Replica) State() *state.State { return r.state }

func (r *Replica) count(a *action.Action, by int) {
	for i := range a.Ops {
		id := a.Ops[i].Object
		if n := r.touching[id] + by; n > 0 {
			r.touching[id] = n
		} else {
			delete(r.touching, id)
		}
	}
}

// dismiss takes a refused action off the list, and what was to discard it.
func (r *Replica) dismiss(id action.UUID) {
	if id == action.Nil {
		return
	}
	r.rejected = slices.DeleteFunc(r.rejected, func(j Rejected) bool { return j.ID == id })
	r.Discarded(id)
}

func (r *Replica) WaitsFor(id action.UUID) bool {
	for _, l := range r.uncommitted {
		if l.ID == id {
			return true
		}
	}
	return r.byID[id] != nil
}

// Undos are those of all that is applied on top of the confirmed state, in order.
func (r *Replica) Undos() []*state.Undo {
	out := make([]*state.Undo, 0, len(r.pending)+len(r.uncommitted))
	for _, queue := range [2][]*local{r.pending, r.uncommitted} {
		for _, l := range queue {
			out = append(out, &l.undo)
		}
	}
	return out
}

// keepWeights forgets what the records up to lsn weigh.
func (r *Replica) keepWeights(lsn locallog.LSN) {
	if after := int(r.next) - 1 - int(lsn); after >= 0 && after < len(r.weights) {
		r.weights = append(r.weights[:0:0], r.weights[len(r.weights)-after:]...)
	}
}
