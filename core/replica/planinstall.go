package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// PlanInstall is the replica that follows this one when a checkpoint takes the place of the log: the confirmed state is the
// checkpoint's, and its row for this client tells which of the pending actions the log has. They are not applied yet. Where the row is
// another copy's of this client, the replica goes on under the given new id.
func (r *Replica) PlanInstall(confirmed *state.State, fresh action.UUID, now int64) *Replica {
	next := r.successor(confirmed)
	if r.state.Head > 0 || len(r.pending) > 0 { // else nothing of this client's can be in it
		next.report(Conflict{Kind: ConflictGap, Base: action.Itoa(int(r.state.Head + 1)), Index: confirmed.Head, At: now}, new(Landing))
	}
	row, known := confirmed.Client(r.log.client)
	clone := known && r.foreign(&row)
	for i := range r.rejected {
		if j := &r.rejected[i]; !known || j.ID != row.Action {
			next.rejected = append(next.rejected, *j)
		}
	}
	refused := map[action.UUID]bool{}
	var gone, kept []*local
	refuse := func(l *local, code, message string) {
		refused[l.ID] = true
		gone = append(gone, l)
		next.rejected = append(next.rejected, l.refusedAs(code, message, now))
	}
	for _, l := range r.pending {
		switch {
		case known && l.Seq <= row.Seq && !clone:
			o := ownEntry{ID: l.ID, seq: l.Seq, undoes: undoes(l.Meta), reason: reasonUntold}
			if l.ID == row.Action {
				o.Index = row.Index
			}
			next.remember(o)
		case known && l.Seq <= row.Seq || !known && confirmed.Head-r.state.Head >= state.ClientHorizon:
			refuse(l, action.CodeUnknown, "a checkpoint took the place of the entries that would tell whether the server took it")
		case clone && confirmed.StandsForOld(&l.Action, fresh):
			refuse(l, action.CodeClient, cloneMessage)
		default:
			kept = append(kept, l)
		}
	}
	kept = slices.DeleteFunc(kept, func(l *local) bool {
		own := next.findOwn(undoes(l.Meta))
		untold := own != nil && own.reason == reasonUntold
		if untold {
			refuse(l, action.CodeUnknown, "a checkpoint took the place of the entry that would tell whether what it takes back stands")
		}
		return untold
	})
	if clone {
		next.former = append(next.former, r.log.client)
		next.log.client, next.lastSeq = fresh, 0
		for i := range next.own {
			next.own[i].seq = 0 // it was the former id's
		}
	}
	for _, l := range kept {
		m := &local{Action: l.Action, Ticket: l.Ticket, bases: l.bases}
		if clone {
			next.lastSeq++
			m = l.under(next.log.client)
			m.number(next.lastSeq)
		}
		next.enqueue(m)
	}
	if len(refused) > 0 {
		next.refuseDependants(refused, gone, now)
	}
	return next
}

const cloneMessage = "another copy of this client has written since; under a new client id it would only be discarded"

// foreign tells whether a client's row in the log is none that this local log knows: another copy writes under the same id.
func (r *Replica) foreign(row *state.ClientRow) bool {
	if row.Seq > r.lastSeq {
		return true
	}
	for _, l := range r.pending {
		if l.Seq == row.Seq {
			return l.ID != row.Action
		}
	}
	for i := range r.own {
		if r.own[i].seq == row.Seq {
			return r.own[i].ID != row.Action
		}
	}
	for i := range r.rejected {
		if a := &r.rejected[i].Action; a.Client == r.log.client && a.Seq == row.Seq {
			return r.rejected[i].ID != row.Action
		}
	}
	// So long ago that it is forgotten; or refused here, dealt with, and thus never taken: where the log has something of that number
	// that is newer than what is pending, another copy has written it.
	return len(r.pending) > 0 && row.Seq > r.pending[0].Seq
}
