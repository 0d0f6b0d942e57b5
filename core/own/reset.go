package own

import "github.com/strandline-sync/strandline/core/action"

// Reset tells of the last time that another log took the place of the one before.
type Reset struct {
	N      uint64 // how often that was; 0: never
	At     int64  // Unix milliseconds
	Reason string // of those below
	Common uint64 // up to this index the logs are one; 0 where that is not known

	// What became of own actions that the log before had: ids.
	Returned []action.UUID // they are pending again
	Refused  []action.UUID // they would not stand in the new log: they are on the rejected list
	Dropped  []action.UUID // nothing of them stood in the log before either: they are gone
	Unknown  []action.UUID // nobody can tell whether the new log has them: they are on the rejected list
	Lost     []action.UUID // the new log may lack them, and this device has them no more
}

// The reasons.
const (
	ResetRestored = "restored" // another log is in the place of the one before
	ResetDeleted  = "deleted"  // the log before was deleted on purpose
)

func (t *Reset) lists() [5]*[]action.UUID {
	return [...]*[]action.UUID{&t.Returned, &t.Refused, &t.Dropped, &t.Unknown, &t.Lost}
}

// Write writes it.
func (t *Reset) Write(e *action.Encoder) {
	e.Uint(t.N)
	if t.N == 0 {
		return
	}
	e.Uint(uint64(t.At))
	e.String(t.Reason)
	e.Uint(t.Common)
	for _, list := range t.lists() {
		e.Uint(uint64(len(*list)))
		for _, id := range *list {
			e.UUID(id)
		}
	}
}

// Read reads what Write has written.
func (t *Reset) Read(d *action.Decoder) {
	if t.N = d.Uint(); t.N == 0 {
		return
	}
	t.At, t.Reason, t.Common = int64(d.Uint()), d.String(), d.Uint()
	for _, list := range t.lists() {
		*list = make([]action.UUID, d.Count(16))
		for i := range *list {
			(*list)[i] = d.UUID()
		}
	}
}
