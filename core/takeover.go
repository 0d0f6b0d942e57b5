package core

// takeOver puts this replica, which was read anew, in the place of an old one: the records that would have led here are compacted away.
// What was not committed yet, as far as this one knows, is applied on top of it and will be committed; committed is the last ticket that was.
func (next *Replica) takeOver(old *Replica) (land landing, committed uint64) {
	tickets := map[UUID]uint64{}
	for _, queue := range [2][]*local{old.pending, old.uncommitted} {
		for _, l := range queue {
			tickets[l.ID] = l.ticket
		}
	}
	refused := map[UUID]bool{}
	for i := range next.rejected {
		j := &next.rejected[i]
		if ticket, mine := tickets[j.ID]; mine {
			j.ticket = ticket
			refused[j.ID] = true
			land.rejected = append(land.rejected, *j)
		}
	}
	var gone []*local
	for _, l := range old.pending {
		switch own := next.findOwn(l.ID); {
		case refused[l.ID]:
			gone = append(gone, l)
		case next.byID[l.ID] != nil:
			next.byID[l.ID].ticket = l.ticket
		case own != nil:
			land.resolved = append(land.resolved, outcome{l.ticket, *own})
		case len(next.own) >= maxOwn && next.own[0].seq > l.Seq: // so long ago that it is forgotten
			land.resolved = append(land.resolved, outcome{l.ticket, ownEntry{id: l.ID}})
		default: // once pending it ends in the log or on the list, and is off that again
			gone = append(gone, l)
			refused[l.ID] = true
			land.rejected = append(land.rejected, Rejected{Rejection: Rejection{ID: l.ID, Code: CodeRejected, Message: "it was refused, and has been dealt with in another context"},
				Action: l.Action, ticket: l.ticket})
		}
	}
	next.discards = old.discards
	for i := range next.conflicts {
		if next.conflicts[i].Index > old.state.Head {
			land.conflicts = append(land.conflicts, next.conflicts[i])
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
				next.byID[l.ID].ticket = l.ticket
			case own != nil:
				land.resolved = append(land.resolved, outcome{l.ticket, *own})
			}
			if stored {
				committed = l.ticket
				continue
			}
			if err := next.pointless(l); err != nil {
				land.dropped = append(land.dropped, dropped{l, err})
				refused[l.ID] = true
				gone = append(gone, l)
				continue
			}
			if l.Client != next.log.client {
				if next.state.standsForOld(&l.Action, next.log.client) {
					refused[l.ID] = true
					gone = append(gone, l)
					j := Rejection{ID: l.ID, Code: CodeClient, Message: cloneMessage}
					land.rejected = append(land.rejected, Rejected{Rejection: j, Action: l.Action, ticket: l.ticket})
					continue
				}
				l = l.under(next.log.client)
			}
			l.undo = Undo{}
			next.uncommitted = append(next.uncommitted, l)
			next.count(&l.Action, 1)
		}
		if len(refused) > 0 {
			next.refuseUncommitted(refused, &land, gone)
		}
	})
	next.state.KeepVersions(old.state, next.undos())
	return land, committed
}
