package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// doubt is what follows when the server says that a stream's log is another one than the one that is followed here. One answer may be
// that of a server that has not caught up: it is asked again. And where a server was restored, all its clients hear that at once: who
// has nothing to send takes his time.
type doubt struct {
	since int64 // when it said so first, Unix milliseconds; 0: it has not
	begin int64 // from when on it is believed; 0: it is to be asked again
}

const (
	doubtFor  = 1_000  // milliseconds between two answers that are believed
	doubtRest = 60_000 // how long who has nothing to send waits at most
)

// doubts goes on with such an answer, and its reason.
func (s *Stream) doubts(reason string, err *action.Error) {
	db, d, c := s.in.db, &s.doubt, &s.in.contact
	now := db.own.Now()
	if s.Following() { // the log aside is not the server's any more
		s.AsideIsAnother(reason)
		db.landed(s.in, false, err)
		return
	}
	if s.Closed() || s.Broken() != nil {
		db.landed(s.in, false, err)
		return
	}
	if d.since == 0 || now < d.since {
		*d = doubt{since: now}
	} else if d.begin == 0 && now >= d.since+doubtFor {
		if d.begin = now; s.Unsent() == 0 && !db.syncing() {
			d.begin += int64(db.own.Random() * doubtRest)
		}
	}
	if d.begin > 0 && now >= d.begin || d.begin > 0 && (s.Unsent() > 0 || db.syncing()) {
		*d = doubt{}
		db.leftTurn(s.in)
		s.Rebuild(reason)
		return
	}
	db.landed(s.in, false, err)
	c.notBefore = max(d.since+doubtFor, d.begin)
}

// takeAside takes an answer about what is folded aside.
func (s *Stream) takeAside(it *protocol.SyncItem, a *protocol.SyncAnswer, current bool) {
	db := s.in.db
	if !current {
		s.Probed(it)
		db.landed(s.in, true, nil)
		return
	}
	if s.HearAside(a); s.wants(it, a) {
		s.Fetch(*a.Offer, idleFor(0))
		db.leftTurn(s.in)
		return
	}
	db.current.Fetched += len(a.Entries)
	if err := s.TakeAside(it, a); err != nil {
		db.landed(s.in, false, err)
		return
	}
	db.landed(s.in, true, nil)
}
