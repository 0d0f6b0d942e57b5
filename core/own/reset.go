package own

import "github.com/strandline-sync/strandline/core/action"

// Reset tells of a time when another log took the place of the one before.
type Reset struct {
	N      uint64 // it is the Nth, from 1 on
	At     int64  // Unix milliseconds
	Reason string // of those below
	Common uint64 // up to this index the logs are one; 0 where that is not known

	// What became of own actions that the log before had: ids.
	Returned []action.UUID // they are pending again
	Refused  []action.UUID // they would not stand in the new log: they are on the rejected list
	Dropped  []action.UUID // nothing of them stood in the log before either: they are gone
	Unknown  []action.UUID // nobody can tell whether the new log has them: they are on the rejected list
	Lost     []action.UUID // the new log may lack them, and this device has them no more

	// Unreadable is how many records and pages of the local log could not be read: nobody knows what stood there.
	Unreadable int
}

// The reasons.
const (
	ResetRestored = "restored" // another log is in the place of the one before
	ResetDeleted  = "deleted"  // the log before was deleted on purpose
	ResetRepaired = "repaired" // the local log was damaged: the server's was read anew
)

func (t *Reset) lists() [5]*[]action.UUID {
	return [...]*[]action.UUID{&t.Returned, &t.Refused, &t.Dropped, &t.Unknown, &t.Lost}
}

// Resets are the last ones, the newest last. A list is never changed in place.
type Resets []Reset

// mostResets is how many are kept.
const mostResets = 8

// Count is how many there ever were.
func (l Resets) Count() uint64 {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1].N
}

// With is the list with one more.
func (l Resets) With(r Reset) Resets {
	r.N = l.Count() + 1
	return append(append(Resets(nil), l[max(0, len(l)+1-mostResets):]...), r)
}

// Since are those after so many.
func (l Resets) Since(count uint64) Resets {
	for len(l) > 0 && l[0].N <= count {
		l = l[1:]
	}
	return l
}

// Write writes them.
func (l Resets) Write(e *action.Encoder) {
	e.Uint(uint64(len(l)))
	for i := range l {
		t := &l[i]
		e.Uint(t.N)
		e.Uint(uint64(t.At))
		e.String(t.Reason)
		e.Uint(t.Common)
		for _, list := range t.lists() {
			e.Uint(uint64(len(*list)))
			for _, id := range *list {
				e.UUID(id)
			}
		}
		e.Uint(uint64(t.Unreadable))
	}
}

// Read reads what Write has written; before says that it was in the format before, which knew nothing of repairs.
func (l *Resets) Read(d *action.Decoder, before bool) {
	*l = make(Resets, d.Count(9))
	for i := range *l {
		t := &(*l)[i]
		t.N, t.At, t.Reason, t.Common = d.Uint(), int64(d.Uint()), d.String(), d.Uint()
		for _, list := range t.lists() {
			*list = make([]action.UUID, d.Count(16))
			for j := range *list {
				(*list)[j] = d.UUID()
			}
		}
		if !before {
			t.Unreadable = int(d.Uint())
		}
	}
}

// Append appends it as JSON.
func (t *Reset) Append(b []byte) []byte {
	b = action.PutText(append(b, '{'), "reason", t.Reason)
	b = action.PutInt(action.PutInt(b, "at", t.At), "common", int64(t.Common))
	for i, list := range t.lists() {
		b = action.PutJSON(b, [...]string{"returned", "refused", "dropped", "unknown", "lost"}[i], "[")
		for j, id := range *list {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(id.Append(append(b, '"')), '"')
		}
		b = append(b, ']')
	}
	return append(action.PutInt(b, "unreadable", int64(t.Unreadable)), '}')
}
