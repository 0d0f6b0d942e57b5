package loop

import (
	"strings"

	"github.com/strandline-sync/strandline/core/plan"
)

// An action that refers to an entry of a data stream is not offered before the server has that entry.

// reference begins what refers to an entry of a data stream, in the canonical text of an action.
const reference = `{"$data":"`

// maxEntries is how many are remembered that the server has.
const maxEntries = 10_000

// holds tells whether an action waits for an entry, and asks for it.
func (db *DB) holds(action string) (waits bool) {
	for {
		_, rest, found := strings.Cut(action, reference)
		if !found {
			return waits
		}
		action = rest
		stream, rest, _ := strings.Cut(rest, `"`)
		rest, found = strings.CutPrefix(rest, `,"entry":"`)
		id, _, whole := strings.Cut(rest, `"}`)
		if !found || !whole || len(id) != 36 || strings.Contains(stream, `\`) || strings.Contains(id, `"`) {
			continue // another's object that looks like one
		}
		if e := (plan.Entry{Stream: stream, ID: id}); !db.durable[e] {
			waits = true
			db.own.Awaits = append(db.own.Awaits, e)
		}
	}
}

func (db *DB) onEntryDurable(e *plan.EntryDurable) {
	if db.durable[e.Entry] {
		return
	}
	if db.durable == nil || len(db.durable) >= maxEntries {
		db.durable = map[plan.Entry]bool{}
	}
	db.durable[e.Entry] = true
	db.wake(becauseReady, false)
}
