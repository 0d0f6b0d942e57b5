package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
)

// The rest of a local checkpoint is what a replica holds beside its objects, as one record:
//
//	what record 0 says · last seq · head · epoch · chain · clients · pending · own · rejected

// remember keeps an own persisted action: what became of it, and the action itself, as it stands in the log. first is the first seq that it
// had, 0 where that is its seq; at is when it was stored.
func (r *Replica) remember(o own.Entry, raw string, first uint64, at int64) {
	r.lastPersisted = max(r.lastPersisted, o.Seq)
	r.own.Remember(o)
	r.kept.Add(own.Kept{Raw: raw, First: first, Index: o.Index, Stored: at})
}

// Fate is what became of an own action that is not waiting any more.
func (r *Replica) Fate(id action.UUID) (index uint64, rejected *Rejected, err error) {
	if o := r.own.Find(id); o != nil {
		return o.Index, nil, o.Err()
	}
	if j := r.rejected.Get(id); j != nil {
		return 0, j, j.Err()
	}
	return 0, nil, action.Fail(action.CodeNotFound, "", "this client has made no action with this id, or it was long ago")
}

// Rest writes what the replica is at its last record, without what is not committed, and what has pages of its own.
func (r *Replica) Rest(cut *own.Cut) []byte {
	s := r.state
	e := locallog.NewRecord(locallog.KindRest, 1024)
	r.log.Write(e)
	e.Uint(r.lastSeq)
	e.Uint(s.Head)
	e.UUID(s.Epoch)
	e.Chain(s.Chain)
	e.Uint(uint64(s.ClientCount()))
	for row := range s.Clients() {
		e.UUID(row.Client)
		e.Uint(row.Seq)
		e.Uint(row.Index)
		e.UUID(row.Action)
	}
	e.Uint(uint64(len(r.q.Pending)))
	for _, l := range r.q.Pending {
		e.String(l.Raw)
		r.pace.Took(pace.Look + pace.Sized(len(l.Raw)))
	}
	r.own.Write(e)
	e.Uint(uint64(r.rejected.Len()))
	for _, j := range r.rejected.All() {
		e.Rejection(&j.Rejection)
		e.String(j.Action.Raw)
	}
	r.encodeHistory(e)
	r.encodeLineage(e, cut)
	return locallog.Finish(e)
}

// readRest fills an empty replica. The pending actions are not applied: the objects may not be there yet.
func (r *Replica) readRest(b []byte, m *locallog.Manifest) error {
	d, err := locallog.Open(b, locallog.KindRest)
	if err != nil {
		return err
	}
	s := r.state
	r.log = record.ReadInit(d)
	r.lastSeq, s.Head, s.Epoch, s.Chain = d.Uint(), d.Uint(), d.UUID(), d.Chain()
	for range d.Count(34) {
		s.PutClient(clients.Row{Client: d.UUID(), Seq: d.Uint(), Index: d.Uint(), Action: d.UUID()})
	}
	for range d.Count(2) {
		l := new(queue.Local)
		if err := d.Action(&l.Action, &r.slab); err != nil {
			return err
		}
		r.q.Enqueue(l)
		r.pace.Took(pace.Apply + pace.Sized(len(l.Raw)))
	}
	r.own.Read(d)
	for i := range r.own.All() {
		r.lastPersisted = max(r.lastPersisted, r.own.All()[i].Seq)
	}
	for range d.Count(36) {
		j := Rejected{Rejection: d.Rejection()}
		if err := d.Action(&j.Action, &r.slab); err != nil {
			return err
		}
		r.rejected.Add(j)
	}
	first := b[0] == 1 // its format
	if d.More() {
		r.readHistory(d, first)
	}
	if !first {
		r.readLineage(d, m, b[0] == 2)
	}
	if !d.Ended() {
		return action.Corrupt("a local record has a broken body")
	}
	return nil
}
