package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// Of a request, in bytes. Whatever stands in front of the server may refuse one for its size with any answer, at any
// size, and at another one tomorrow: what went is remembered, and grown slowly.
const (
	usualRoom = 768 << 10 // less than a mebibyte with all that stands around it, which is what proxies let through by default
	mostRoom  = protocol.MaxRequestBytes * 3 / 4
	slowest   = 2 << 10 // bytes a second, of a line that is waited for
)

// idleFor is how long nothing may come for a request of that many bytes.
func idleFor(size int) Idle {
	return Idle{First: idleLimit + int64(size)*1000/slowest, Next: idleLimit}
}

// Of an answer, in entries.
const (
	fewEntries   = 8   // what a line that times out is asked for at least
	firstEntries = 100 // of a stream that is new here: a checkpoint may be offered in the place of all
)

// ask gathers what the next request says of each stream whose turn it is.
func (db *DB) ask() (items []protocol.SyncItem, asked map[string]*Stream, opening, left bool) {
	asked = map[string]*Stream{}
	actions, bytes, spent := protocol.MaxActions, db.room, ""
	for _, s := range db.nextStreams() {
		if s.opened != nil || s.installing != nil {
			opening = true
		}
		if !s.due() {
			continue
		}
		if len(items) == protocol.MaxStreams {
			left = true
			break
		}
		most := min(actions, s.most())
		if bytes <= 0 {
			most = 0
		}
		it := s.Ask(most, bytes, db.held, actions == protocol.MaxActions)
		actions -= len(it.Actions)
		if left := len(it.Actions) < min(most, s.Queued()) || most == 0 && s.Queued() > 0; spent == "" && (left || actions == 0) {
			spent = s.Name()
		}
		if it.Limit = min(it.Limit, db.limit); it.After == 0 {
			it.Limit = min(it.Limit, firstEntries)
		}
		for _, a := range it.Actions {
			bytes -= len(a) + 1
		}
		// Offline, each try would leave it open whether the locks are still there: new objects are free to write only without.
		if it.Drain = it.Drain && s.contact.good; it.Drain {
			s.DrainSent()
		}
		items = append(items, it)
		asked[s.Name()] = s
		db.lastAsked = s.Name()
	}
	if !left {
		db.lastAsked = ""
	}
	db.spentBy = spent
	return items, asked, opening, left
}

// most is how many actions of a stream are offered at once.
func (s *Stream) most() int {
	most := protocol.MaxActions
	if s.offer > 0 {
		most = s.offer
	}
	if s.unsure > 0 { // nothing but these, while their outcome is not known
		most = min(most, s.unsure)
	}
	if s.behind || s.tooLarge != nil && s.db.host.Now() < s.offerAt {
		return 0
	}
	return most
}

// afterRefusal is how many actions are offered behind a refusal: what comes after the next one is sent in vain.
const afterRefusal = 4

// offered takes note of how an offer was taken: behind a refusal little is offered, then twice as much each time.
func (s *Stream) offered(n, rejected int) {
	if n > 0 {
		s.tooLarge, s.offerPause = nil, 0
	}
	switch {
	case rejected > 0:
		s.offer = afterRefusal
	case s.offer > 0 && n > 0:
		if s.offer *= 2; s.offer >= protocol.MaxActions {
			s.offer = 0
		}
	}
}

// went takes note of a request that was answered: the next ones may be larger, a little where none has been so large yet.
func (db *DB) went(size int) {
	db.wentSize = max(db.wentSize, size)
	db.limit = min(protocol.MaxEntries, 2*db.limit)
	if size > db.room*3/4 {
		more := db.room / 8
		if db.room < db.wentSize {
			more = min(db.room, db.wentSize-db.room)
		}
		db.room = min(mostRoom, db.room+more)
	}
}

// failed takes note of a request that failed. Unless the server has said why, and that it is not the size, the next
// one is smaller. Where the server may have appended without our hearing of it, the same actions are offered again,
// and no others.
func (db *DB) failed(err error, size int, items []protocol.SyncItem, asked map[string]*Stream) {
	offers, of := 0, (*Stream)(nil)
	for i := range items {
		if n := len(items[i].Actions); n > 0 {
			offers, of = offers+n, asked[items[i].Stream]
		}
	}
	code := action.CodeOf(err)
	if code == action.CodeTimeout {
		db.limit = max(fewEntries, db.limit/2)
	}
	switch code {
	case action.CodeUnauthorized, action.CodeRateLimited, action.CodeForbidden:
	default:
		switch {
		case size <= smallest:
		case offers > 1:
			db.room = max(smallest/2, min(db.room, size)/2)
			if code != action.CodeUnreachable {
				db.wentSize = min(db.wentSize, db.room)
			}
		case offers == 1:
			of.isTooLarge(err)
		}
	}
	switch code {
	case action.CodeUnreachable, action.CodeTimeout, action.CodeBadAnswer, action.CodeInternal, action.CodeUnavailable:
		for i := range items {
			asked[items[i].Stream].unsure = len(items[i].Actions)
		}
	default: // the server has not looked at it
		for i := range items {
			if s := asked[items[i].Stream]; s.unsure == 0 {
				s.ForgetDrain()
			}
		}
	}
}

// smallest is a request that nobody refuses for its size, in bytes.
const smallest = 2 << 10

// isTooLarge takes note of one action that did not go through by itself, whatever the reason was: the next request
// goes without it, and shows whether it is the reason. It is tried again later, and holds up nobody else meanwhile.
func (s *Stream) isTooLarge(err error) {
	s.offerPause = min(max(2*s.offerPause, 2*s.db.retry), maxOfferPause)
	s.offerAt = s.db.host.Now() + s.offerPause
	s.tooLarge = &action.Error{Code: action.CodeTooLarge, Message: "the next change does not get through to the server", Cause: err}
}

const maxOfferPause = 300_000
