package loop

import (
	"github.com/strandline-sync/strandline/core/action"
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

// plan turns an answer into a record. Where the server refuses the client id, that is one which gives this local log
// another: another copy of the profile, or of a database that was taken away, writes under the same one. The server
// said so at the log's head, so that every own action it has was read: what is pending now it does not have, and goes
// on under the new id.
func (s *Stream) plan(l *planned) (replica.Plan, error) {
	now := s.db.host.Now()
	if !l.rekey {
		return s.PlanTurn(&l.item, &l.answer, now, s.db.newClient)
	}
	if l.item.Client != s.Client() || l.item.After != s.State().Head {
		return replica.Plan{}, nil // another context has done it, or a turn was first
	}
	s.rekeyedAt, s.unsure = now, 0
	return s.PlanRekey(s.db.newClient(), now), nil
}
