package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// The history stands at the end of the rest of a local checkpoint: when refused actions were heard of, what own
// actions replaced, what pending ones were made upon, and the conflicts. Checkpoints of earlier versions end before
// it.

func (r *Replica) encodeHistory(e *action.Encoder) {
	for _, j := range r.rejected.All() {
		e.Uint(uint64(j.At))
	}
	r.own.WriteInverses(e)
	for _, l := range r.q.Pending {
		e.Uint(uint64(len(l.Bases)))
		for i := range l.Bases {
			e.UUID(l.Bases[i].Object)
			e.String(l.Bases[i].Key)
			e.String(l.Bases[i].Value)
		}
	}
	r.conflicts.Write(e)
	e.Uint(uint64(len(r.former)))
	for _, id := range r.former {
		e.UUID(id)
	}
	r.own.WriteMore(e)
}

func (r *Replica) readHistory(d *action.Decoder, first bool) {
	for i := range r.rejected.All() {
		r.rejected.All()[i].At = int64(d.Uint())
	}
	from := r.own.ReadInverses(d)
	for _, l := range r.q.Pending {
		l.Bases = make([]queue.Seen, d.Count(18))
		for i := range l.Bases {
			l.Bases[i] = queue.Seen{Object: d.UUID(), Key: d.String(), Value: d.String()}
		}
	}
	r.conflicts.Read(d)
	if !d.More() {
		return // an earlier version's
	}
	r.former = make([]action.UUID, d.Count(16))
	for i := range r.former {
		r.former[i] = d.UUID()
	}
	r.own.ReadMore(d, from, first)
}
