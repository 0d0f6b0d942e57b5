package core

import (
	"slices"
	"strings"
)

// hints is the leader's connection for push hints. A hint only cuts the idle pause; without any the loop goes on by its timers.
type hints struct {
	stop    func()   // ends the connection; nil where there is none
	streams []string // that it is about
	tries   int      // that failed, in a row
	waiting bool     // for the next try
}

// listen keeps the connection in step with what is open: after each turn that succeeded, and when that changes.
func (db *DB) listen() {
	h := &db.hints
	if !db.leading || db.closed || db.transport == nil {
		db.deafen()
		return
	}
	var names []string
	for _, s := range db.sorted() {
		if s.opened == nil && !s.closed && s.status.State != StateStopped && len(names) < MaxStreams {
			names = append(names, s.name)
		}
	}
	if h.stop != nil && slices.Equal(h.streams, names) || h.waiting {
		return
	}
	db.deafen()
	if h.streams = names; len(names) == 0 {
		return
	}
	h.stop = db.transport.Listen(names, db.hinted, func(error) {
		if db.closed {
			return
		}
		h.stop, h.waiting = nil, true
		h.tries++
		db.host.After(db.retry<<min(h.tries-1, 4), func() {
			h.waiting = false
			db.listen()
		})
	})
}

// deafen ends the connection.
func (db *DB) deafen() {
	if stop := db.hints.stop; stop != nil {
		db.hints.stop = nil
		stop()
	}
}

// hinted takes a hint. One that came while a turn is under way may be about what that turn brings.
func (db *DB) hinted(stream string, head uint64) {
	db.hints.tries = 0
	if s := db.streams[stream]; s != nil && head > s.hint {
		s.hint = head
		if !db.running && db.news() {
			db.wake(becauseHint, false)
		}
	}
}

// news tells whether a stream has a hint of more than it has. Each hint counts once: a wrong one costs one turn.
func (db *DB) news() (any bool) {
	for _, s := range db.streams {
		if s.hint > s.state.Head && s.hint > s.hintTaken && s.opened == nil && s.installing == nil {
			s.hintTaken = s.hint
			any = true
		}
	}
	return any
}

// DecodeHint reads one server-sent event that tells of a head.
func DecodeHint(event string) (stream string, head uint64, ok bool) {
	named := false
	for line := range strings.SplitSeq(event, "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "event":
			named = value == "head"
		case "data":
			l := &lexer{b: value}
			err := l.object(func(key string) (err error) {
				switch key {
				case "stream":
					stream, err = l.str()
				case "head":
					head, err = l.uint()
				default:
					_, err = l.raw()
				}
				return err
			})
			ok = err == nil && stream != ""
		}
	}
	return stream, head, ok && named
}
