package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
)

// The lineage stands at the end of the rest of a local checkpoint: what is needed where another log takes the place of the one that this
// replica follows. Checkpoints of the first format end before it.

// Resets is how often another log has taken the place of the one before.
func (r *Replica) Resets() uint64 { return r.resets.Count() }

// ResetList tells of the last times, the newest last.
func (r *Replica) ResetList() own.Resets { return r.resets }

// NewAside is another log of the stream, of which nothing has been folded yet.
func (r *Replica) NewAside() *aside.Log { return aside.New(r.name, r.log.Client, r.former, r.knows) }

// IsAside tells whether it was made under the client id of now.
func (r *Replica) IsAside(a *aside.Log) bool { return a.Of(r.log.Client, len(r.former)) }

// Kept are the own actions that are kept.
func (r *Replica) Kept() *own.Store { return &r.kept }

// Marks are places where this device has been in the log.
func (r *Replica) Marks() *own.Marks { return &r.marks }

func (r *Replica) encodeLineage(e *action.Encoder, cut *own.Cut) {
	r.marks.Write(e)
	for _, l := range r.q.Pending {
		e.Uint(l.First)
	}
	r.kept.Write(e, cut)
	r.resets.Write(e)
}

func (r *Replica) readLineage(d *action.Decoder, m *locallog.Manifest, before bool) {
	r.marks.Read(d)
	for _, l := range r.q.Pending {
		l.First = d.Uint()
	}
	r.kept.Read(d, m.Kept)
	r.resets.Read(d, before)
}
