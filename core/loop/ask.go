package loop

import "github.com/strandline-sync/strandline/core/protocol"

// ask gathers what the next request says of each stream whose turn it is, and tells whether one is not there yet.
func (db *DB) ask() (absent bool) {
	t := &db.turn
	*t = turn{spentBy: t.spentBy, last: t.last}
	left, spent := Room{Actions: protocol.MaxActions, Bytes: db.line.room, Entries: db.line.limit, Empty: true}, ""
	for _, m := range db.nextStreams() {
		remote := m.remote()
		if remote == nil {
			continue
		}
		st := m.kind.Standing()
		absent = absent || st.Life == Opening || st.Away
		if !m.due() {
			continue
		}
		if len(t.items) == protocol.MaxStreams {
			t.left = true
			break
		}
		it, more := remote.Ask(left)
		for _, a := range it.Actions {
			left.Bytes -= len(a) + 1
		}
		left.Actions -= len(it.Actions)
		left.Empty = left.Empty && len(it.Actions) == 0
		if spent == "" && (more || left.Actions == 0) {
			spent = m.name
		}
		t.items, t.asked = append(t.items, it), append(t.asked, m)
		t.last = m.name
	}
	if !t.left {
		t.last = ""
	}
	t.spentBy = spent
	return absent
}
