package loop

import (
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// line is what is known of the way to the server: how much goes through at once. Whatever stands in front of the server may refuse
// a request for its size with any answer, at any size, and at another one tomorrow: what went is remembered, and grown slowly.
type line struct {
	room     int  // bytes of a request that are taken up by actions
	limit    int  // entries that an answer may have, of each stream
	bytes    int  // that the entries of an answer may take
	wentSize int  // of the largest request that was answered, as far as that still holds
	down     bool // the last request failed
	hinted   bool // and a hint has ended the pause after it
}

// Of a request, in bytes.
const (
	usualRoom = 768 << 10 // less than a mebibyte with all that stands around it, which is what proxies let through by default
	mostRoom  = protocol.MaxRequestBytes * 3 / 4
	smallest  = 2 << 10 // nobody refuses that for its size
	slowest   = 2 << 10 // bytes a second, of a line that is waited for
)

// Of an answer.
const (
	fewEntries   = 8        // what a bad line is asked for at least
	fewBytes     = 16 << 10 // and how much of it: eight seconds on the slowest line
	firstEntries = 100      // of a stream that is new here: a checkpoint may be offered in the place of all
	mostBytes    = 4 * protocol.MaxAnswerBytes
	longAnswer   = idleLimit / 3 // a request that broke after so many milliseconds broke while something was on its way
)

// asked is how many bytes the next answer is to have; 0 for what the server gives.
func (l *line) asked() int {
	if l.bytes == mostBytes {
		return 0
	}
	return l.bytes
}

// idleFor is how long nothing may come for a request of that many bytes.
func idleFor(size int) plan.Idle {
	return plan.Idle{First: idleLimit + int64(size)*1000/slowest, Next: idleLimit}
}

// went takes note of a request that was answered: the next ones may be larger, a little where none has been so large yet.
func (l *line) went(size int) {
	l.wentSize = max(l.wentSize, size)
	l.limit, l.bytes = min(protocol.MaxEntries, l.limit+l.limit/4+1), min(mostBytes, l.bytes+l.bytes/4)
	if size > l.room*3/4 {
		more := l.room / 8
		if l.room < l.wentSize {
			more = min(l.room, l.wentSize-l.room)
		}
		l.room = min(mostRoom, l.room+more)
	}
}

// failed takes note of a request that failed. Unless the server has said why, and that it is not the size, the next
// one is smaller. Where the server may have appended without our hearing of it, the same actions are offered again,
// and no others.
func (db *DB) failed(err error) {
	t, l, f := &db.turn, &db.line, failureOf(err)
	offers := 0
	for i := range t.items {
		offers += len(t.items[i].Actions)
	}
	if f.slow || f.line && db.own.Now()-db.current.At >= longAnswer {
		l.limit, l.bytes = max(fewEntries, l.limit/2), max(fewBytes, l.bytes/2)
	}
	small := !f.size || t.size <= smallest
	if !small && offers > 1 {
		l.room = max(smallest/2, min(l.room, t.size)/2)
		if !f.line {
			l.wentSize = min(l.wentSize, l.room)
		}
	}
	for i, m := range t.asked {
		missed := Missed{Unsure: f.unsure}
		if !small && offers == 1 && len(t.items[i].Actions) == 1 {
			missed.Alone = err
		}
		m.remote().Missed(&t.items[i], missed)
	}
}
