package core

// readReplica folds a local log from nothing. keep is how many conflicts it may tell of. Where a record cannot be read, it gives what comes before that, and the error.
func readReplica(name string, keep int, log *Log) (*Replica, error) {
	r := newReplica(name)
	r.fresh, r.keep = true, keep
	if log.Manifest != nil {
		if err := r.readCheckpoint(log); err != nil {
			return r, err
		}
	}
	records, err := decodeRecords(log.Records)
	if _, ferr := r.follow(records); ferr != nil {
		err = ferr
	}
	r.fresh = false
	return r, err
}

func decodeRecords(blobs [][]byte) (records []*record, err error) {
	for _, b := range blobs {
		r, err := decodeRecord(b)
		if err != nil {
			return records, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (r *Replica) readCheckpoint(log *Log) error {
	m, err := decodeManifest(log.Manifest)
	if err != nil {
		return err
	}
	if len(log.Pages) != len(m.pages)+len(m.rest) {
		return fail(CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	for i := range m.pages {
		if err := r.state.readPage(log.Pages[i]); err != nil {
			return err
		}
	}
	rest := log.Pages[len(m.pages):]
	if len(rest) > 1 {
		var all []byte
		for _, b := range rest {
			all = append(all, b...)
		}
		rest = [][]byte{all}
	}
	if len(rest) == 0 {
		return fail(CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	if err := r.readRest(rest[0]); err != nil {
		return err
	}
	if r.log.log != m.log {
		return fail(CodeCorrupt, "", "the local checkpoint is another log's")
	}
	for _, l := range r.pending {
		r.state.ApplyPending(&l.Action, &l.undo, nil)
	}
	r.next = m.lsn + 1
	r.state.paging = newPaging(m)
	return nil
}

// adopt puts a replica that was read anew in the place of the stream's: the records that would have led there are compacted away.
// What was not committed yet, as far as the new one knows, is applied on top of it and will be committed.
func (s *Stream) adopt(next *Replica) {
	old := s.Replica
	var land landing
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
	committed := uint64(0)
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
	next.state.keepVersions(old.state, next.pending, next.uncommitted)
	s.Replica = *next
	s.relive()
	if committed > 0 {
		s.observer.Committed(committed)
	}
	s.tell(&land, true)
}

// keepVersions gives the objects that look as they did in another state the versions that they had there, and the others, and what the
// given actions would bring back when they are unapplied, versions that nothing had there.
func (s *State) keepVersions(old *State, queues ...[]*local) {
	for _, queue := range queues {
		for _, l := range queue {
			for i := range l.undo.images {
				l.undo.images[i].object.version += old.version
			}
		}
	}
	s.version += old.version
	names := make([]uint32, len(old.names)) // those of old in s; one past the end where there is none
	for i, name := range old.names {
		names[i] = uint32(len(s.names))
		if id, ok := s.nameIDs[name]; ok {
			names[i] = id
		}
	}
	for slot := range s.objects.n {
		o := s.objects.at(slot)
		if !o.live {
			continue
		}
		if was := old.object(o.id); was != nil && names[was.typ] == o.typ && sameFields(o.fields, was.fields, names) {
			o.version = was.version
			continue
		}
		o.version += old.version
	}
}

// relive makes the live queries anew over another state.
func (s *Stream) relive() {
	if len(s.live) == 0 {
		return
	}
	s.state.before = map[UUID]object{}
	for _, l := range s.live {
		l.hits = s.state.planQuery(l.q).all(-1)
	}
	s.changed = append(s.changed[:0:0], s.live...)
}
