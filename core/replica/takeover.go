package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/refusal"
	"github.com/strandline-sync/strandline/core/state"
)

// TakeOver puts this replica, which was read anew, in the place of an old one: the records that would have led here
// are compacted away. What was not committed yet, as far as this one knows, is applied on top of it and will be
// committed; committed is the last ticket that was.
func (next *Replica) TakeOver(old *Replica) (land Landing, committed uint64) {
	tickets := map[action.UUID]uint64{}
	for _, l := range old.q.All() {
		tickets[l.ID] = l.Ticket
	}
	base := ^uint64(0) // of what is not committed
	land.Resets = next.resets.Since(old.resets.Count())
	for i := range land.Resets {
		base = min(base, land.Resets[i].Common)
	}
	refused := map[action.UUID]bool{}
	for _, j := range next.rejected.All() {
		if ticket, mine := tickets[j.ID]; mine {
			next.rejected.Get(j.ID).Ticket, j.Ticket = ticket, ticket
			refused[j.ID] = true
			land.Rejected = append(land.Rejected, j)
		}
	}
	var gone []*queue.Local        // refused, and not in this queue
	var kept, again []*queue.Local // what a damaged log has lost: pending in memory still, or to be committed again
	for _, l := range old.q.Pending {
		switch o := next.own.Find(l.ID); {
		case refused[l.ID]:
			gone = append(gone, l)
		case next.q.Get(l.ID) != nil:
			next.q.Get(l.ID).Ticket = l.Ticket
		case o != nil:
			land.Resolved = append(land.Resolved, outcome{l.Ticket, *o})
		case next.own.Forgot() && next.own.All()[0].Seq > l.Seq: // so long ago that it is forgotten
			land.Resolved = append(land.Resolved, outcome{l.Ticket, own.Entry{ID: l.ID}})
		case next.Damaged():
			kept = append(kept, l)
		case next.Mended(old) && next.state.LastSeq(l.Client) >= l.Seq: // it was on its way
			land.Resolved = append(land.Resolved, outcome{l.Ticket, own.Entry{ID: l.ID, Reason: own.ReasonUntold}})
		case next.Mended(old):
			again = append(again, l)
		default: // once pending it ends in the log or on the list, and is off that again
			gone, refused[l.ID] = append(gone, l), true
			land.Rejected = append(land.Rejected, refusal.Of(l, action.CodeRejected, dealtWith, 0))
		}
	}
	next.discards = old.discards
	next.OrderRows(old.ordered)
	land.Conflicts = append(land.Conflicts, next.conflicts.After(old.state.Head)...)
	next.rebaseAll(func() {
		for _, l := range kept {
			next.q.Enqueue(&queue.Local{Action: l.Action, Ticket: l.Ticket, Bases: l.Bases, First: l.First})
		}
		for _, l := range append(again, old.q.Uncommitted...) {
			o, known := next.own.Find(l.ID), next.q.Get(l.ID)
			if o == nil && known == nil && next.state.MayHave(l.For) { // who has made it has sent it
				o = &own.Entry{ID: l.ID, Reason: own.ReasonUntold}
			}
			switch {
			case refused[l.ID]:
				gone = append(gone, l)
			case known != nil:
				known.Ticket = l.Ticket
			case o != nil:
				land.Resolved = append(land.Resolved, outcome{l.Ticket, *o})
			}
			if refused[l.ID] || known != nil || o != nil {
				committed = l.Ticket
				continue
			}
			if l.Client != next.log.Client {
				if next.state.StandsForOld(&l.Action, next.log.Client) {
					gone, refused[l.ID] = append(gone, l), true
					next.refuse(l, action.Rejection{ID: l.ID, Code: action.CodeClient, Message: cloneMessage}, 0, &land)
					continue
				}
				l = l.Remade(next.log.Client, base)
			} else if l.Action.Base > base {
				l = l.Remade(l.Client, base)
			}
			l.Undo = state.Undo{}
			next.q.Add(l)
		}
		next.claims = nil
		next.dropPointless(&land)
		next.refuseUncommitted(next.dependants(refused, gone...), &land)
	})
	next.undoNext(&land)
	land.Difference = Difference{All: true}
	return land, committed
}

const dealtWith = "it was refused, and has been dealt with in another context"
