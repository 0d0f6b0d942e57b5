package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// TakeOver puts this replica, which was read anew, in the place of an old one: the records that would have led here
// are compacted away. What was not committed yet, as far as this one knows, is applied on top of it and will be
// committed; committed is the last ticket that was.
func (next *Replica) TakeOver(old *Replica) (land Landing, committed uint64) {
	tickets := map[action.UUID]uint64{}
	for _, queue := range [2][]*local{old.pending, old.uncommitted} {
		for _, l := range queue {
			tickets[l.ID] = l.Ticket
		}
	}
	refused := map[action.UUID]bool{}
	for i := range next.rejected {
		j := &next.rejected[i]
		if ticket, mine := tickets[j.ID]; mine {
			j.Ticket = ticket
			refused[j.ID] = true
			land.Rejected = append(land.Rejected, *j)
		}
	}
	var gone []*local
	for _, l := range old.pending {
		switch own := next.findOwn(l.ID); {
		case refused[l.ID]:
			gone = append(gone, l)
		case next.byID[l.ID] != nil:
			next.byID[l.ID].Ticket = l.Ticket
		case own != nil:
			land.Resolved = append(land.Resolved, outcome{l.Ticket, *own})
		case len(next.own) >= maxOwn && next.own[0].seq > l.Seq: // so long ago that it is forgotten
			land.Resolved = append(land.Resolved, outcome{l.Ticket, ownEntry{ID: l.ID}})
		default: // once pending it ends in the log or on the list, and is off that again
			gone = append(gone, l)
			refused[l.ID] = true
			land.Rejected = append(land.Rejected, l.refusedAs(action.CodeRejected, dealtWith, 0))
		}
	}
	next.discards = old.discards
	for i := range next.conflicts {
		if next.conflicts[i].Index > old.state.Head {
			land.Conflicts = append(land.Conflicts, next.conflicts[i])
		}
	}
	next.rebase(nil, func() {
		for _, l := range old.uncommitted {
			own := next.findOwn(l.ID)
			stored := refused[l.ID] || next.byID[l.ID] != nil || own != nil
			switch {
			case refused[l.ID]:
				gone = append(gone, l)
			case next.byID[l.ID] != nil:
				next.byID[l.ID].Ticket = l.Ticket
			case own != nil:
				land.Resolved = append(land.Resolved, outcome{l.Ticket, *own})
			}
			if stored {
				committed = l.Ticket
				continue
			}
			if err := next.pointless(l); err != nil {
				land.Dropped = append(land.Dropped, dropped{l, err})
				refused[l.ID] = true
				gone = append(gone, l)
				continue
			}
			if l.Client != next.log.client {
				if next.state.StandsForOld(&l.Action, next.log.client) {
					refused[l.ID] = true
					gone = append(gone, l)
					j := action.Rejection{ID: l.ID, Code: action.CodeClient, Message: cloneMessage}
					land.Rejected = append(land.Rejected, Rejected{Rejection: j, Action: l.Action, Ticket: l.Ticket})
					continue
				}
				l = l.under(next.log.client)
			}
			l.undo = state.Undo{}
			next.uncommitted = append(next.uncommitted, l)
			next.count(&l.Action, 1)
		}
		if len(refused) > 0 {
			next.refuseUncommitted(refused, &land, gone)
		}
	})
	next.undoNext(&land)
	next.state.KeepVersions(old.state, next.Undos())
	return land, committed
}

const dealtWith = "it was refused, and has been dealt with in another context"
