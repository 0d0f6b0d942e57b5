package loop

import (
	"slices"

	"github.com/strandline-sync/strandline/core/protocol"
)

// hints is the leader's connection for push hints, the only one of a profile. A hint only cuts the idle pause; without any the loop
// goes on by its timers.
type hints struct {
	stop    func()          // ends the connection; nil where there is none
	about   protocol.Topics // that it is about
	data    []string        // that it is to be about as well
	tries   int             // that failed, in a row
	waiting bool            // for the next try
}

// ListenFor says which data streams the connection for hints is to be about as well: as many as MaxStreams; Config.Moved is told.
func (db *DB) ListenFor(data []string) {
	db.hints.data = data[:min(len(data), protocol.MaxStreams)]
	db.listen()
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
		if s.opened == nil && !s.closed && s.stopped == nil && len(names) < protocol.MaxStreams {
			names = append(names, s.Name())
		}
	}
	if h.stop != nil && slices.Equal(h.about.Streams, names) && slices.Equal(h.about.Data, h.data) || h.waiting {
		return
	}
	db.deafen()
	if h.about = (protocol.Topics{Streams: names, Data: h.data}); len(names)+len(h.data) == 0 {
		return
	}
	h.stop = db.transport.Listen(h.about, db.hint, func(error) {
		if db.closed {
			return
		}
		h.stop, h.waiting = nil, true
		if h.tries++; h.tries > 1 { // nothing was heard since the last end: it may be more than the connection that is lost
			db.wake(becauseDeaf, false)
			if db.moved != nil && len(h.about.Data) > 0 {
				db.moved("", "")
			}
		}
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

// hint takes a hint. One that came while a turn is under way may be about what that turn brings.
func (db *DB) hint(h protocol.Hint) {
	db.hints.tries = 0
	if h.Data != "" {
		if db.moved != nil {
			db.moved(h.Data, h.Offset)
		}
		return
	}
	if s := db.streams[h.Stream]; s != nil && h.Head > s.hint {
		s.hint = h.Head
		if !db.running && db.news() {
			s.contact.notBefore = 0
			db.wake(becauseHint, db.down && !db.hinted) // whoever can say that can be asked
			db.hinted = db.down
		}
	}
}

// news tells whether a stream has a hint of more than it has. Each hint counts once: a wrong one costs one turn.
func (db *DB) news() (any bool) {
	for _, s := range db.streams {
		if s.hint > s.State().Head && s.hint > s.hintTaken && s.opened == nil && s.installing == nil {
			s.hintTaken = s.hint
			any = true
		}
	}
	return any
}
