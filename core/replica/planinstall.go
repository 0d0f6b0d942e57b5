package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/refusal"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// installing is another replica in the making, that follows this one when what is aside takes the place of its log.
type installing struct {
	*Replica // the one in the making: nothing of its queue is applied
	was      *Replica
	other    *aside.Log
	now      int64

	fresh   action.UUID          // the client id to go on under
	clone   bool                 // it is to: another copy writes under the one of now, or what bears its numbers cannot be read
	seen    map[action.UUID]bool // actions that stand in the entries aside
	refused map[action.UUID]bool
	gone    []*queue.Local // refused, and not in the queue
	queue   []*queue.Local
	taken   []action.Action // refused here, and in the log after all
	mends   bool            // what is pending may build on what cannot be read
}

// PlanInstall is the replica that follows this one when a checkpoint takes the place of the log: the confirmed state is that of the
// checkpoint, and its row for this client tells which of the pending actions the log has. They are not applied yet. Where the row is
// another copy's of this client, the replica goes on under the given new id.
func (r *Replica) PlanInstall(a *aside.Log, fresh action.UUID, now int64) *Replica {
	in := r.install(a, r.state.Head, fresh, now, false)
	for _, l := range r.q.Pending {
		in.place(l, a.Tells(in.seen, &l.Action, l.First, !in.clone, a.From >= r.state.Head+clients.Horizon))
	}
	in.finish(nil, ^uint64(0))
	return in.Replica
}

// Regressed tells whether the log aside lacks what this replica knows the log to have: then it is another one, whatever its epoch.
func (r *Replica) Regressed(a *aside.Log) bool {
	row, known := a.State.Client(r.log.Client)
	return r.lastPersisted > row.Seq && (known || a.State.Head < r.state.Head+clients.Horizon)
}

// install begins. What is behind that place of the log was not read. anew says that the client id is another one from now on, whoever
// writes under the one of now.
func (r *Replica) install(a *aside.Log, after uint64, fresh action.UUID, now int64, anew bool) *installing {
	in := &installing{Replica: r.successor(a.State), was: r, other: a, now: now, fresh: fresh, seen: map[action.UUID]bool{},
		refused: map[action.UUID]bool{}}
	if after < a.State.Head && (r.state.Head > 0 || len(r.q.Pending) > 0) { // else nothing of this client's can be in it
		in.report(conflict.Conflict{Kind: conflict.Gap, Base: action.Itoa(int(after + 1)), Index: a.State.Head, At: now}, new(Landing))
	}
	entries, _ := a.Own()
	for i := range entries {
		in.seen[entries[i].ID] = true
	}
	row, known := a.State.Client(r.log.Client)
	in.mends = anew
	in.clone = anew || known && r.foreign(&row)
	for _, j := range r.rejected.All() {
		switch {
		case in.seen[j.ID]: // it was taken after all
		case known && j.ID == row.Action, a.State.Has(j.ID, action.Maker{}):
			in.taken = append(in.taken, j.Action)
		default:
			in.rejected.Add(j)
		}
	}
	in.marks.Put(a.State.Head, a.State.Chain)
	return in
}

// place puts a pending action where it belongs, by what is known of it.
func (in *installing) place(l *queue.Local, w aside.Has) {
	switch {
	case w == aside.Yes && !in.seen[l.ID]:
		in.rememberUntold(&l.Action, l.First)
	case w == aside.Yes:
	case w == aside.Unknown:
		in.refuseOne(l, action.CodeUnknown, unknownMessage)
	case in.clone && in.other.State.StandsForOld(&l.Action, in.fresh):
		in.refuseOne(l, action.CodeClient, cloneMessage)
	default:
		in.queue = append(in.queue, l)
	}
}

// rememberUntold takes note that the log has an own action, and that nobody can tell what came of it there.
func (in *installing) rememberUntold(a *action.Action, first uint64) {
	o := own.Under(in.log.Client, a, 0)
	o.Reason = own.ReasonUntold
	if row := in.other.Row(a.Client); row.Action == a.ID {
		o.Index = row.Index
	}
	in.remember(o, a.Raw, first, in.now)
}

func (in *installing) refuseOne(l *queue.Local, code, message string) {
	in.refused[l.ID] = true
	in.gone = append(in.gone, l)
	in.rejected.Add(refusal.Of(l, code, message, in.now))
}

// finish makes the queue: what returns, of which what would not stand is refused, and then what was pending. Both are made upon at most a
// base. It gives what of the first would not stand.
func (in *installing) finish(returning []*queue.Local, base uint64) (void []action.UUID) {
	for i := range in.taken {
		in.rememberUntold(&in.taken[i], 0)
	}
	returning, in.queue = in.certain(returning), in.certain(in.queue)
	if in.clone {
		in.former = append(in.former, in.log.Client)
		in.log.Client, in.lastSeq, in.lastPersisted = in.fresh, 0, 0
		in.own.Renamed()
	}
	anew := in.clone || len(returning) > 0
	for i, l := range returning {
		returning[i] = in.remade(l, base, anew)
	}
	for _, l := range in.try(returning) {
		void = append(void, l.ID)
		in.refuseOne(l, action.CodeReset, resetMessage)
	}
	for _, l := range returning {
		if !in.refused[l.ID] {
			in.q.Enqueue(l)
		}
	}
	for i, l := range in.queue {
		in.queue[i] = in.remade(l, base, anew)
	}
	if in.mends {
		for _, l := range in.try(append(slices.Clone(in.q.Pending), in.queue...)) {
			if !in.q.Holds(l) {
				void = append(void, l.ID)
				in.refuseOne(l, action.CodeReset, resetMessage)
			}
		}
	}
	for _, l := range in.queue {
		if !in.refused[l.ID] {
			in.q.Enqueue(l)
		}
	}
	if len(in.refused) > 0 {
		in.bare = true // nothing is applied
		in.refuseDependants(in.dependants(in.refused, in.gone...), in.now, new(Landing))
		in.bare = false
	}
	return void
}

// certain refuses, and leaves out, what takes back an action of which nobody can tell whether it stands.
func (in *installing) certain(list []*queue.Local) []*queue.Local {
	return slices.DeleteFunc(list, func(l *queue.Local) bool {
		o := in.own.Find(undo.Target(l.Meta))
		uncertain := o != nil && o.Reason == own.ReasonUntold
		if uncertain {
			in.refuseOne(l, action.CodeUnknown, uncertainMessage)
		}
		return uncertain
	})
}

// remade is an action of the queue, made upon at most a base, and numbered anew where that is needed. A seq is never given twice: so it
// tells which action a client's row in some log is of.
func (in *installing) remade(l *queue.Local, base uint64, anew bool) *queue.Local {
	if !anew && l.Action.Base <= base {
		return &queue.Local{Action: l.Action, Ticket: l.Ticket, Bases: l.Bases, First: l.First}
	}
	m := l.RemadeFor(in.log.Client, base, queue.MakerOf(&l.Action, in.log.Client, in.former))
	switch {
	case !anew:
		m.First = l.First
		m.Number(l.Seq)
		return m
	case in.clone: // nobody has seen it under this id
	case l.Client != in.log.Client:
		m.First = 1
	case l.First > 0:
		m.First = l.First
	default:
		m.First = l.Seq
	}
	in.lastSeq++
	m.Number(in.lastSeq)
	return m
}

// try applies actions, and gives those that are discarded whole. Nothing is applied before, or after.
func (in *installing) try(list []*queue.Local) (void []*queue.Local) {
	for _, l := range list {
		if in.apply(l); in.effect.Discarded {
			void = append(void, l)
		}
	}
	for i := len(list) - 1; i >= 0; i-- {
		in.unapply(list[i])
		list[i].Undo = state.Undo{}
	}
	return void
}

const (
	unknownMessage   = "a checkpoint took the place of the entries that would tell whether the server took it"
	uncertainMessage = "a checkpoint took the place of the entry that would tell whether what it takes back stands"
	resetMessage     = "it would not stand in the log that has taken the place of the one that had it"
)

const cloneMessage = "this device goes on under a new client id; under that it would only be discarded"

// foreign tells whether a client's row in the log is none that this local log knows: another copy writes under the same id.
func (r *Replica) foreign(row *clients.Row) bool {
	if r.own.Find(row.Action) != nil || r.offered(row.Action) != nil {
		return false
	}
	if row.Seq > r.lastSeq {
		return true
	}
	for _, l := range r.q.Pending {
		if l.Seq == row.Seq {
			return true
		}
	}
	all := r.own.All()
	for i := range all {
		if all[i].Seq == row.Seq {
			return true
		}
	}
	for _, j := range r.rejected.All() {
		if a := &j.Action; a.Client == r.log.Client && a.Seq == row.Seq {
			return true
		}
	}
	// So long ago that it is forgotten; or refused here, dealt with, and thus never taken: where the log has something of that number
	// that is newer than what is pending, another copy has written it.
	return len(r.q.Pending) > 0 && row.Seq > r.q.Pending[0].Seq
}
