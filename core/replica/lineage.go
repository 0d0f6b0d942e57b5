package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
)

// The lineage stands at the end of the rest of a local checkpoint: what is needed where another log takes the place of the one that this
// replica follows. Checkpoints of the first format end before it.

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

// Resets is how often another log has taken the place of the one before.
func (r *Replica) Resets() uint64 { return r.reset.N }

// LastReset tells of the last time.
func (r *Replica) LastReset() Reset { return r.reset }

// Marks are places where this device has been in the log.
func (r *Replica) Marks() *own.Marks { return &r.marks }

func (r *Replica) encodeLineage(e *action.Encoder, cut *own.Cut) {
	r.marks.Write(e)
	for _, l := range r.q.Pending {
		e.Uint(l.First)
	}
	r.kept.Write(e, cut)
	e.Uint(r.reset.N)
	if r.reset.N == 0 {
		return
	}
	e.Uint(uint64(r.reset.At))
	e.String(r.reset.Reason)
	e.Uint(r.reset.Common)
	for _, list := range r.reset.lists() {
		e.Uint(uint64(len(*list)))
		for _, id := range *list {
			e.UUID(id)
		}
	}
}

func (r *Replica) readLineage(d *action.Decoder, m *locallog.Manifest) {
	r.marks.Read(d)
	for _, l := range r.q.Pending {
		l.First = d.Uint()
	}
	r.kept.Read(d, m.Kept)
	if r.reset.N = d.Uint(); r.reset.N == 0 {
		return
	}
	r.reset.At, r.reset.Reason, r.reset.Common = int64(d.Uint()), d.String(), d.Uint()
	for _, list := range r.reset.lists() {
		*list = make([]action.UUID, d.Count(16))
		for i := range *list {
			(*list)[i] = d.UUID()
		}
	}
}
