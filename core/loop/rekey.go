package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
)

// rekeyPause is how long a client id is kept at least, in milliseconds: a server that refuses each one is asked in peace.
const rekeyPause = 10_000

// clientRefused plans what follows when the server refuses this client's id.
func (s *Stream) clientRefused(it protocol.SyncItem, e *action.Error, done func(activity bool, err error)) {
	if s.closed || s.broken != nil || it.Client == s.Client() && s.rekeyedAt > 0 && s.db.host.Now() < s.rekeyedAt+rekeyPause {
		done(false, e)
		return
	}
	s.landings = append(s.landings, &planned{item: it, rekey: true, done: done})
	s.Pump()
}

// rekey gives this local log another client id: another copy of the profile, or of a database that was taken away,
// writes under the same one. The server said so at the log's head, so that every own action it has was read: what is
// pending now it does not have, and goes on under the new id.
//
// It is committed as a checkpoint of what is there, in the place of the log; this context reads it like any other.
func (s *Stream) rekey(l *planned) {
	if l.item.Client != s.Client() {
		l.done(true, nil) // another context has done it
		s.Pump()
		return
	}
	s.rekeyedAt = s.db.host.Now()
	next := s.UnderNewClient(s.db.newClient(), s.rekeyedAt)
	snap := replica.TakeSnapshot(s.State(), s.Undos(), s.LogID())
	snap.Place(s.NextLSN(), next)
	for !snap.Step() { // at once: it happens hardly ever
	}
	c := snap.Seal(s.Base())
	c.Record = locallog.Finish(locallog.NewRecord(locallog.KindInstall, 0))
	s.busy, s.unsure = true, 0
	store, name := s.db.store, s.Name()
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		return func() {
			s.busy = false
			if s.ended {
				return
			}
			if err == nil {
				s.db.tell('m', s.Name())
			}
			s.stale, s.read = true, false // whatever came of it, the log tells
			l.done(true, nil)
			s.Pump()
		}
	})
}
