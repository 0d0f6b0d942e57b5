package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// ask gathers what the next request says of each stream whose turn it is, and tells whether one is not there yet.
func (db *DB) ask() (opening_ bool) {
	t := &db.turn
	*t = turn{spentBy: t.spentBy, last: t.last}
	actions, bytes, spent := protocol.MaxActions, db.line.room, ""
	for _, s := range db.nextStreams() {
		if s.Opening() || s.Installing() {
			opening_ = true
		}
		if !s.due() {
			continue
		}
		if len(t.items) == protocol.MaxStreams {
			t.left = true
			break
		}
		most := min(actions, s.most())
		if bytes <= 0 {
			most = 0
		}
		it := s.Ask(most, bytes, db.holds, actions == protocol.MaxActions)
		actions -= len(it.Actions)
		if left := len(it.Actions) < min(most, s.Queued()) || most == 0 && s.Queued() > 0; spent == "" && (left || actions == 0) {
			spent = s.Name()
		}
		if it.Limit = min(it.Limit, db.line.limit); it.After == 0 {
			it.Limit = min(it.Limit, firstEntries)
		}
		for _, a := range it.Actions {
			bytes -= len(a) + 1
		}
		// Offline, each try would leave it open whether the locks are still there: new objects are free to write only without.
		if it.Drain = it.Drain && s.contact.good; it.Drain {
			s.DrainSent()
		}
		t.items, t.asked = append(t.items, it), append(t.asked, s)
		t.last = s.Name()
	}
	if !t.left {
		t.last = ""
	}
	t.spentBy = spent
	return opening_
}

// offer is what of a stream's queue is offered to the server.
type offer struct {
	most      int           // how many actions at once; 0 for all that fit
	tooLarge  *action.Error // the first action did not get through by itself
	again     int64         // when it is tried again, Unix milliseconds
	pause     int64
	unsure    int    // how many actions a request offered whose outcome is unknown; nothing else is offered meanwhile
	behind    bool   // the last answer left entries to fetch: what is pending is not offered before they are here
	declined  uint64 // the index of a checkpoint that could not be installed
	rekeyedAt int64  // when the client id was given up last
}

// most is how many actions of a stream are offered at once.
func (s *Stream) most() int {
	o, most := &s.offer, protocol.MaxActions
	if o.most > 0 {
		most = o.most
	}
	if o.unsure > 0 { // nothing but these, while their outcome is not known
		most = min(most, o.unsure)
	}
	if o.behind || o.tooLarge != nil && s.db.Now() < o.again {
		return 0
	}
	return most
}

// afterRefusal is how many actions are offered behind a refusal: what comes after the next one is sent in vain.
const afterRefusal = 4

// taken takes note of how an offer was taken: behind a refusal little is offered, then twice as much each time.
func (o *offer) taken(n, rejected int) {
	if n > 0 {
		o.tooLarge, o.pause = nil, 0
	}
	switch {
	case rejected > 0:
		o.most = afterRefusal
	case o.most > 0 && n > 0:
		if o.most *= 2; o.most >= protocol.MaxActions {
			o.most = 0
		}
	}
}

const maxOfferPause = 300_000

// tooLarge takes note of one action that did not go through by itself, whatever the reason was: the next request
// goes without it, and shows whether it is the reason. It is tried again later, and holds up nobody else meanwhile.
func (s *Stream) tooLarge(err error) {
	o := &s.offer
	o.pause = min(max(2*o.pause, 2*s.db.Retry), maxOfferPause)
	o.again = s.db.Now() + o.pause
	o.tooLarge = &action.Error{Code: action.CodeTooLarge, Message: "the next change does not get through to the server", Cause: err}
}
