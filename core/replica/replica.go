package replica

import "slices"

import (
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

// outcome is what became of an own action in the log.
type outcome struct {
	Ticket uint64
	ownEntry
}

// Landing is what a record did to this replica's own actions.
type Landing struct {
	Resolved  []outcome
	Rejected  []Rejected
	Conflicts []Conflict
	Dropped   []dropped
}

// dropped is an uncommitted write that another context has made pointless.
type dropped struct {
	*local
	Err error
}

func New(name string) *Replica {
	r := &Replica{name: name, state: state.NewState(), byID: map[action.UUID]*local{}, touching: map[action.UUID]int{}}
	r.track(&locallog.Manifest{}, true)
	return r
}

// successor goes on from this replica over a state of the confirmed entries, with what it remembers, but without pending and refused actions.
func (r *Replica) successor(state *state.State) *Replica {
	next := &Replica{name: r.name, log: r.log, state: state, lastSeq: r.lastSeq, byID: map[action.UUID]*local{}, touching: map[action.UUID]int{},
		own: append([]ownEntry(nil), r.own...), conflicts: append([]Conflict(nil), r.conflicts...), keep: r.keep, conflictBytes: r.conflictBytes}
	next.weighInverses()
	return next
}

// State is the visible state. Only the replica changes it.
func (r *Replica) State() *state.State { return r.state }

// Write applies a draft at once. It waits uncommitted. reached tells whether the server was, not long ago: only then what exists may be written
// in conflict-free mode.
func (r *Replica) Write(d *Draft, ticket uint64, reached bool) (err error) {
	if r.log.conflictFree {
		if d, err = r.guarded(d, reached); err != nil {
			return err
		}
	}
	_, err = r.write(d, ticket)
	return err
}

func (r *Replica) write(d *Draft, ticket uint64) (*local, error) {
	l, err := newLocal(d, r.log.client, r.state.Head, &r.slab)
	if err != nil {
		return nil, err
	}
	l.Ticket, l.retries = ticket, d.retries
	var e *state.Effect
	if l.Atomic {
		e = new(state.Effect)
	} else if err := r.check(&l.Action); err != nil {
		return nil, err
	}
	if r.state.ApplyPending(&l.Action, &l.undo, e); e != nil && e.Discarded {
		return nil, r.refusal(&l.Action)
	}
	r.uncommitted = append(r.uncommitted, l)
	r.count(&l.Action, 1)
	return l, nil
}

// refusal says which part of an atomic action does not stand here and now, so that all of it was discarded.
func (r *Replica) refusal(a *action.Action) error {
	for i := range a.Guards {
		if !r.state.Holds(&a.Guards[i], a) {
			return action.Fail(action.CodeConflict, "/if/"+action.Itoa(i), "the guard does not hold")
		}
	}
	loose := *a
	loose.Atomic = false
	var u state.Undo
	var e state.Effect
	r.state.ApplyPending(&loose, &u, &e)
	r.state.Unapply(&u)
	for i := range e.Ops {
		at := "/" + action.Itoa(i)
		for _, k := range e.Ops[i].Keys {
			return refusedKey(at+"/"+action.EscapePointer(k.Key), k.Reason)
		}
		switch e.Ops[i].Reason {
		case state.ReasonExists:
			return errExists(at)
		case state.ReasonMissing:
			return errMissing(at)
		case state.ReasonLocked:
			return r.errLocked(at, a.Ops[i].Object)
		case state.ReasonSize:
			return action.Fail(action.CodeTooLarge, at, "an object has at most 1 MiB of fields")
		}
	}
	return action.Fail(action.CodeConflict, "", "it would be discarded")
}

func errExists(at string) error {
	return action.Fail(action.CodeExists, at+"/id", "an object with this id exists")
}

func errMissing(at string) error {
	return action.Fail(action.CodeNotFound, at+"/id", "no object has this id")
}

func (r *Replica) errLocked(at string, object action.UUID) error {
	e := action.Fail(action.CodeLocked, at+"/id", "another client holds this object's lock")
	e.Holder, _ = r.state.Lock(object)
	return e
}

func refusedKey(at string, reason state.Reason) error {
	if reason == state.ReasonSize {
		return action.Fail(action.CodeTooLarge, at, "an array has at most 10,000 elements")
	}
	return action.Fail(action.CodeInvalid, at, "the value there is not one that this operation works on")
}

// check refuses what can be seen to be wrong: it is told at the call, and nothing changes.
func (r *Replica) check(a *action.Action) error {
	if len(a.Ops) > 1 {
		return nil // ops build on one another
	}
	op := &a.Ops[0]
	o := r.state.Object(op.Object)
	switch {
	case op.Kind == action.Create && o.Exists():
		return errExists("")
	case op.Kind != action.Create && !o.Exists():
		return errMissing("")
	case op.Kind != action.Create && o.HeldFrom(r.log.client):
		return r.errLocked("", op.Object)
	case op.Kind == action.Update:
		for i := range op.Changes {
			old, _ := o.Value(op.Changes[i].Key)
			if _, reason := state.Merge(&op.Changes[i], old); reason != state.ReasonNone {
				return refusedKey("/"+action.EscapePointer(op.Changes[i].Key), reason)
			}
		}
	}
	return nil
}

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

// Follow applies records that are durable in the local log: the first ones at start-up, those of other contexts, and
// this context's own turns. Uncommitted actions stay on top.
func (r *Replica) Follow(records []*Record) (Landing, error) {
	var land Landing
	var err error
	var only map[*local]bool
	if len(records) == 1 && records[0].kind == locallog.KindTurn {
		only = r.touchedBy(&records[0].turn)
	}
	r.rebase(only, func() {
		for _, rec := range records {
			if err = r.fold(rec, &land); err != nil {
				return
			}
			r.next++
			r.weights = append(r.weights, rec.bytes)
		}
		if only == nil { // else the record is a turn of others' entries, and all that is left out is applied
			r.dropPointless(&land)
		}
	})
	return land, err
}

// rebase unapplies what is pending and uncommitted, in reverse, runs f, and applies what is left, in order; of these only
// the given ones, where not nil. An object that ends as it was keeps its version.
func (r *Replica) rebase(only map[*local]bool, f func()) {
	s := r.state
	if !r.fresh { // else nobody has seen a row yet
		outer := s.BeginStep()
		defer func() { s.EndStep(outer) }()
	}
	for _, queue := range [2][]*local{r.uncommitted, r.pending} {
		for i := len(queue) - 1; i >= 0; i-- {
			if only == nil || only[queue[i]] {
				s.Unapply(&queue[i].undo)
			}
		}
	}
	f()
	for _, queue := range [2][]*local{r.pending, r.uncommitted} {
		for _, l := range queue {
			if only == nil || only[l] {
				s.ApplyPending(&l.Action, &l.undo, nil)
			}
		}
	}
}

// fold applies one record; pending and uncommitted actions are unapplied at this time.
func (r *Replica) fold(rec *Record, land *Landing) error {
	switch rec.kind {
	case locallog.KindInit:
		if r.next != 0 {
			return action.Fail(action.CodeCorrupt, "", "a local log begins twice")
		}
		r.log = rec.init
	case locallog.KindCommit:
		for i := range rec.actions {
			l := &local{Action: rec.actions[i]}
			if l.Seq != r.lastSeq+1 || l.Client != r.log.client {
				return action.Fail(action.CodeCorrupt, "", "the local log skips a seq")
			}
			r.lastSeq = l.Seq
			r.enqueue(l)
		}
		for _, id := range rec.dismissed {
			r.dismiss(id)
		}
	case locallog.KindTurn:
		return r.foldTurn(&rec.turn, land)
	}
	return nil
}

// enqueue makes an action the last pending one. It is not applied.
func (r *Replica) enqueue(l *local) {
	r.pending = append(r.pending, l)
	r.byID[l.ID] = l
	r.count(&l.Action, 1)
}

func (r *Replica) foldTurn(t *turnRecord, land *Landing) error {
	s := r.state
	if s.Head != t.after {
		return action.Fail(action.CodeCorrupt, "", "a turn does not follow the local head")
	}
	gone := map[action.UUID]bool{}
	for i := range t.entries {
		r.foldEntry(&t.entries[i].Action, t.entries[i].Stored, gone, land)
	}
	for _, id := range t.persisted {
		l := r.byID[id]
		if l == nil {
			return action.Fail(action.CodeCorrupt, "", "a turn persists an action that is not pending")
		}
		r.foldEntry(&l.Action, t.at, gone, land)
	}
	if s.Chain != t.chain {
		return action.Fail(action.CodeCorrupt, "", "a turn does not lead to its chain")
	}
	s.Epoch = t.epoch
	refusedIDs := map[action.UUID]bool{}
	for _, j := range t.rejected {
		if l := r.byID[j.ID]; l != nil && !gone[j.ID] {
			gone[j.ID], refusedIDs[j.ID] = true, true
			refused := Rejected{Rejection: j, At: t.at, Action: l.Action, Ticket: l.Ticket}
			r.rejected = append(r.rejected, refused)
			land.Rejected = append(land.Rejected, refused)
		}
	}
	if len(refusedIDs) > 0 {
		r.refuseUncommitted(refusedIDs, land, nil)
	}
	if len(gone) == 0 {
		return nil
	}
	kept := r.pending[:0:0]
	for _, l := range r.pending {
		if !gone[l.ID] {
			kept = append(kept, l)
			continue
		}
		delete(r.byID, l.ID)
		r.count(&l.Action, -1)
	}
	r.pending = kept
	return nil
}

// refuseUncommitted rejects the uncommitted actions that depend on refused ones; no record will ever hold them.
// before are refused ones that are not pending any more.
func (r *Replica) refuseUncommitted(refused map[action.UUID]bool, land *Landing, before []*local) {
	because := r.dependants(refused, before)
	kept := r.uncommitted[:0:0]
	for _, l := range r.uncommitted {
		if b, depends := because[l.ID]; depends {
			r.count(&l.Action, -1)
			j := action.Rejection{ID: l.ID, Code: action.CodeDepends, Message: dependsMessage, Because: b}
			land.Rejected = append(land.Rejected, Rejected{Rejection: j, Action: l.Action, Ticket: l.Ticket})
			continue
		}
		kept = append(kept, l)
	}
	r.uncommitted = kept
}

const dependsMessage = "it builds on a refused action"

// dependants finds, among pending and uncommitted actions that are not in refused, those that name an object which
// would exist only through a refused one, and which that is. The state is the bare confirmed one; before come first.
func (r *Replica) dependants(refused map[action.UUID]bool, before []*local) (because map[action.UUID]action.UUID) {
	because = map[action.UUID]action.UUID{}
	lost := map[action.UUID]action.UUID{} // object → the refused action that would have made it
	exists := map[action.UUID]bool{}      // what the actions that stand have made of an object
	there := func(id action.UUID) bool {
		if known, ok := exists[id]; ok {
			return known
		}
		return r.state.Exists(id)
	}
	for _, queue := range [3][]*local{before, r.pending, r.uncommitted} {
		for _, l := range queue {
			out := refused[l.ID]
			if target := undoes(l.Meta); !out && target != action.Nil { // what takes back a change that never was would be a change of its own
				if _, depends := because[target]; depends || refused[target] {
					because[l.ID], out = target, true
				}
			}
			for i := range l.Ops {
				op := &l.Ops[i]
				if culprit, ok := lost[op.Object]; ok && !out && op.Kind != action.Create && !there(op.Object) {
					because[l.ID], out = culprit, true
				}
			}
			for i := range l.Ops {
				switch op := &l.Ops[i]; {
				case op.Kind == action.Create && out:
					lost[op.Object] = l.ID
				case op.Kind == action.Create:
					exists[op.Object] = true
				case op.Kind == action.Remove && !out:
					exists[op.Object] = false
				}
			}
		}
	}
	return because
}

// foldEntry applies one entry of the log; where it resolves a pending action, the entry's bytes count.
func (r *Replica) foldEntry(a *action.Action, at int64, gone map[action.UUID]bool, land *Landing) {
	e := &r.effect
	l := r.byID[a.ID]
	if l == nil || gone[a.ID] {
		r.noteBases(a)
		r.state.ApplyEntry(a, nil, e)
		if a.Client != r.log.client {
			r.reportForeign(a, e, at, land)
		}
		return
	}
	var u state.Undo
	r.state.ApplyEntry(a, &u, e)
	gone[a.ID] = true
	o := ownEntry{ID: a.ID, seq: a.Seq, Index: r.state.Head, discarded: e.Discarded, reason: e.Why(), undoes: undoes(a.Meta), inverse: r.state.Inverse(a, &u)}
	r.remember(o)
	r.reportOwn(l, e, at, land)
	land.Resolved = append(land.Resolved, outcome{l.Ticket, o})
}

// dismiss takes a refused action off the list, and what was to discard it.
func (r *Replica) dismiss(id action.UUID) {
	if id == action.Nil {
		return
	}
	r.rejected = slices.DeleteFunc(r.rejected, func(j Rejected) bool { return j.ID == id })
	r.Discarded(id)
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
