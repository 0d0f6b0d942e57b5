package core

import "context"

// rekeyPause is how long a client id is kept at least, in milliseconds: a server that refuses each one is asked in peace.
const rekeyPause = 10_000

// clientRefused plans what follows when the server refuses this client's id.
func (s *Stream) clientRefused(it SyncItem, e *Error, done func(activity bool, err error)) {
	if s.closed || s.broken != nil || it.Client == s.log.client && s.rekeyedAt > 0 && s.db.host.Now() < s.rekeyedAt+rekeyPause {
		done(false, e)
		return
	}
	s.landings = append(s.landings, &planned{item: it, rekey: true, done: done})
	s.Pump()
}

// rekey gives this local log another client id: another copy of the profile, or of a database that was taken away, writes under the same one. The server
// said so at the log's head, so that every own action it has was read: what is pending now it does not have, and goes on under the new id.
//
// It is committed as a checkpoint of what is there, in the place of the log; this context reads it like any other.
func (s *Stream) rekey(l *planned) {
	if l.item.Client != s.log.client {
		l.done(true, nil) // another context has done it
		s.Pump()
		return
	}
	s.rekeyedAt = s.db.host.Now()
	next := s.underNewClient(s.db.newClient(), s.rekeyedAt)
	snap := newPaging(&manifest{}).snapshot(s.state, s.next, s.log.log, next.encodeRest(), s.pending, s.uncommitted)
	for !snap.step() { // at once: it happens hardly ever
	}
	c := snap.seal(s.state.paging.base)
	c.Record = newRecord(recordInstall, 0).finish()
	s.busy, s.unsure = true, 0
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		return func() {
			s.busy = false
			if s.ended {
				return
			}
			if err == nil {
				s.db.tell('m', s.name)
			}
			s.stale, s.read = true, false // whatever came of it, the log tells
			l.done(true, nil)
			s.Pump()
		}
	})
}

// underNewClient is what the replica holds beside its objects, under another client id. What the old id has locked, or has touched and wants unchanged,
// would only be discarded: that is refused.
func (r *Replica) underNewClient(client UUID, now int64) *Replica {
	next := *r
	next.log.client, next.lastSeq = client, 0
	next.pending, next.byID, next.touching = nil, map[UUID]*local{}, map[UUID]int{}
	next.own = append([]ownEntry(nil), r.own...)
	for i := range next.own {
		next.own[i].seq = 0 // it was the former id's
	}
	next.rejected = append([]Rejected(nil), r.rejected...)
	refused := map[UUID]bool{}
	var gone []*local
	r.rebase(nil, func() {
		for _, l := range r.pending {
			if r.state.standsForOld(&l.Action, client) {
				refused[l.ID] = true
				gone = append(gone, l)
				next.rejected = append(next.rejected, Rejected{Rejection: Rejection{ID: l.ID, Code: CodeClient, Message: cloneMessage}, At: now, Action: l.Action})
				continue
			}
			next.lastSeq++
			m := l.under(client)
			m.number(next.lastSeq)
			next.enqueue(m)
		}
		if len(refused) > 0 {
			next.refuseDependants(refused, gone)
		}
	})
	return &next
}
