package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// contact is what a stream knows of the server: whether its last round trip was good, and when it is asked again. Each
// stream has its own, so that one which is damaged, forbidden, too large or slow costs the others nothing.
type contact struct {
	asking    bool          // a request under way is about it
	good      bool          // the last answer was
	answered  int64         // when there was a good one last, Unix milliseconds; 0 for never
	err       *action.Error // why the last try has failed, nil where it has not
	alone     bool          // that was an error of this stream alone
	failures  int           // answers in a row that were errors of this stream alone
	notBefore int64         // until then it is not asked, unless somebody wants it
}

// answeredWell takes note of a good answer.
func (c *contact) answeredWell(now int64) {
	*c = contact{good: true, answered: now, failures: c.failures} // until what it says is stored
}

// missed takes note of a request that failed as a whole: the loop pauses for all.
func (c *contact) missed(err error) {
	c.asking, c.good, c.alone, c.err = false, false, false, action.AsError(err, action.CodeUnreachable)
}

// refused takes note of an error that is this stream's alone: it pauses alone, longer each time.
func (s *Stream) refused(err error) {
	c := &s.contact
	c.missed(err)
	pause := s.db.retry << min(c.failures, 4)
	switch c.err.Code {
	case action.CodeForbidden:
		pause = s.db.idle // it lasts, and rights change
	case action.CodeQuota, action.CodeStorage: // of what was fetched, and is fetched again
		pause = s.db.retry << min(c.failures, 7)
	}
	c.alone = true
	c.failures++
	c.notBefore = s.db.host.Now() + s.db.jitter(pause)
	s.statusChanged()
}

// due tells whether it is the stream's turn.
func (s *Stream) due() bool {
	return !s.closed && s.stopped == nil && s.opened == nil && s.installing == nil && s.contact.notBefore <= s.db.host.Now()
}

// reached tells whether the server was, not long ago and as far as this context knows.
func (s *Stream) reached() bool {
	since := s.db.host.Now() - s.contact.answered
	return s.contact.good && !s.db.offline && s.unsure == 0 && since >= 0 && since <= 2*s.db.idle
}

// wanted ends the pauses of single streams.
func (db *DB) wanted() {
	for _, s := range db.streams {
		s.contact.notBefore = 0
	}
}

// retryAt is when a stream that pauses alone is asked again, the first of them; 0 where none does.
func (db *DB) retryAt() (at int64) {
	for _, s := range db.streams {
		asks := s.stopped == nil && !s.closed && s.opened == nil && s.installing == nil
		if t := s.contact.notBefore; asks && t > 0 && (at == 0 || t < at) {
			at = t
		}
	}
	return at
}

// firstErr is the error of a stream that was asked last, nil where none has one: what people who wait are told.
func (db *DB) firstErr(asked map[string]*Stream) error {
	for _, s := range db.sorted() {
		switch {
		case s.stopped != nil:
			return s.stopped
		case asked[s.Name()] == s && s.contact.err != nil:
			return s.contact.err
		}
	}
	return nil
}
