package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// PlanInstall is the replica that follows this one when a checkpoint takes the place of the log: the confirmed state is the
// checkpoint's, and its row for this client tells which of the pending actions the log has. They are not applied yet. Where the row is
// another copy's of this client, the replica goes on under the given new id.
func (r *Replica) PlanInstall(confirmed *state.State, fresh action.UUID, now int64) *Replica {
	next := r.successor(confirmed)
	if r.state.Head > 0 || len(r.q.Pending) > 0 { // else nothing of this client's can be in it
		next.report(Conflict{Kind: ConflictGap, Base: action.Itoa(int(r.state.Head + 1)), Index: confirmed.Head, At: now}, new(Landing))
	}
	row, known := confirmed.Client(r.log.client)
	clone := known && r.foreign(&row)
	for _, j := range r.rejected.all() {
		if !known || j.ID != row.Action {
			next.rejected.add(j)
		}
	}
	refused := map[action.UUID]bool{}
	var gone, kept []*queue.Local
	refuse := func(l *queue.Local, code, message string) {
		refused[l.ID] = true
		gone = append(gone, l)
		next.rejected.add(refusedAs(l, code, message, now))
	}
	for _, l := range r.q.Pending {
		switch {
		case known && l.Seq <= row.Seq && !clone:
			o := ownEntry{ID: l.ID, seq: l.Seq, undoes: undo.Target(l.Meta), group: undo.Group(l.Meta), reason: reasonUntold}
			if l.ID == row.Action {
				o.Index = row.Index
			}
			next.remember(o)
		case known && l.Seq <= row.Seq || !known && confirmed.Head-r.state.Head >= clients.Horizon:
			refuse(l, action.CodeUnknown, "a checkpoint took the place of the entries that would tell whether the server took it")
		case clone && confirmed.StandsForOld(&l.Action, fresh):
			refuse(l, action.CodeClient, cloneMessage)
		default:
			kept = append(kept, l)
		}
	}
	kept = slices.DeleteFunc(kept, func(l *queue.Local) bool {
		own := next.findOwn(undo.Target(l.Meta))
		untold := own != nil && own.reason == reasonUntold
		if untold {
			refuse(l, action.CodeUnknown, "a checkpoint took the place of the entry that would tell whether what it takes back stands")
		}
		return untold
	})
	if clone {
		next.former = append(next.former, r.log.client)
		next.log.client, next.lastSeq, next.lastPersisted = fresh, 0, 0
		for i := range next.own {
			next.own[i].seq = 0 // it was the former id's
		}
	}
	for _, l := range kept {
		m := &queue.Local{Action: l.Action, Ticket: l.Ticket, Bases: l.Bases}
		if clone {
			next.lastSeq++
			m = l.Under(next.log.client)
			m.Number(next.lastSeq)
		}
		next.q.Enqueue(m)
	}
	if len(refused) > 0 {
		next.bare = true // nothing is applied
		next.refuseDependants(next.dependants(refused, gone...), now, new(Landing))
		next.bare = false
	}
	return next
}

const cloneMessage = "another copy of this client has written since; under a new client id it would only be discarded"

// foreign tells whether a client's row in the log is none that this local log knows: another copy writes under the same id.
func (r *Replica) foreign(row *clients.Row) bool {
	if row.Seq > r.lastSeq {
		return true
	}
	for _, l := range r.q.Pending {
		if l.Seq == row.Seq {
			return l.ID != row.Action
		}
	}
	for i := range r.own {
		if r.own[i].seq == row.Seq {
			return r.own[i].ID != row.Action
		}
	}
	for _, j := range r.rejected.all() {
		if a := &j.Action; a.Client == r.log.client && a.Seq == row.Seq {
			return j.ID != row.Action
		}
	}
	// So long ago that it is forgotten; or refused here, dealt with, and thus never taken: where the log has something of that number
	// that is newer than what is pending, another copy has written it.
	return len(r.q.Pending) > 0 && row.Seq > r.q.Pending[0].Seq
}
