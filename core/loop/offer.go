package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// offer is what of a stream's queue is offered to the server.
type offer struct {
	most      int           // how many actions at once; 0 for all that fit
	held      *action.Error // why nothing is offered for a while: the first action did not get through by itself, or this code is too old
	again     int64         // when it is tried again, Unix milliseconds
	pause     int64
	unsure    int    // how many actions a request offered whose outcome is unknown; nothing else is offered meanwhile
	reach     uint64 // the server's head, where an answer has left entries to fetch: what is pending is not offered before they are here
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
	if s.behind() || o.held != nil && s.in.db.own.Now() < o.again {
		return 0
	}
	return most
}

// behind tells whether entries are to be fetched that the server is known to have.
func (s *Stream) behind() bool { return s.State().Head < s.offer.reach }

// afterRefusal is how many actions are offered behind a refusal: what comes after the next one is sent in vain.
const afterRefusal = 4

// taken takes note of how an offer was taken: behind a refusal little is offered, then twice as much each time.
func (o *offer) taken(n, rejected int) {
	if n > 0 {
		o.held, o.pause = nil, 0
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

// outdated takes note that the server takes actions of newer code alone: they wait, and are offered again now and then.
func (o *offer) outdated(err *action.Error, db *DB) {
	o.held, o.again = err, db.own.Now()+db.idle
}

const maxOfferPause = 300_000

// holdBack takes note of one action that did not go through by itself, whatever the reason was: the next request
// goes without it, and shows whether it is the reason. It is tried again later, and holds up nobody else meanwhile.
func (o *offer) holdBack(err error, db *DB) {
	o.pause = min(max(2*o.pause, 2*db.own.Retry), maxOfferPause)
	o.again = db.own.Now() + o.pause
	o.held = &action.Error{Code: action.CodeTooLarge, Message: "the next change does not get through to the server", Cause: err}
}
