package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// The rest of a local checkpoint is what a replica holds beside its objects, as one record:
//
//	what record 0 says · last seq · head · epoch · chain · clients · pending · own · rejected

// ownEntry is an action of this client that the log has.
type ownEntry struct {
	ID        action.UUID
	seq       uint64
	Index     uint64
	discarded bool
	reason    state.Reason
	undoes    action.UUID
	group     action.UUID
	inverse   []state.InverseOp // what takes it back; of the last maxInverses
}

// reasonUntold stands for an own action of which a checkpoint told that the log has it, and not what came of it there.
const reasonUntold state.Reason = "untold"

// Of how many own persisted actions the inverse is kept, and of how many bytes in all: a checkpoint writes them each time.
const (
	maxInverses     = 1000
	maxInverseBytes = 128 << 10
)

// maxOwn is how many of its own persisted actions a client remembers.
const maxOwn = 10_000

// remember keeps an own persisted action; the oldest ones are forgotten a tenth at a time.
func (r *Replica) remember(o ownEntry) {
	if len(r.own) >= maxOwn+maxOwn/10 {
		cut := len(r.own) - maxOwn
		r.own, r.inverseFrom = append(r.own[:0:0], r.own[cut:]...), max(0, r.inverseFrom-cut)
		r.ownAt = nil
	}
	if r.ownAt != nil {
		r.ownAt[o.ID] = len(r.own)
	}
	r.lastPersisted = max(r.lastPersisted, o.seq)
	r.own = append(r.own, o)
	r.inverseBytes += o.bytes()
	for r.inverseFrom < len(r.own)-1 && (len(r.own)-r.inverseFrom > maxInverses || r.inverseBytes > maxInverseBytes) {
		oldest := &r.own[r.inverseFrom]
		r.inverseBytes -= oldest.bytes()
		oldest.inverse = nil
		r.inverseFrom++
	}
}

// weighInverses counts what remember goes on from.
func (r *Replica) weighInverses() {
	r.inverseFrom, r.inverseBytes = max(0, len(r.own)-maxInverses), 0
	for i := range r.own {
		r.inverseBytes += r.own[i].bytes()
	}
}

// bytes is about what an inverse takes.
func (o *ownEntry) bytes() (n int) {
	for i := range o.inverse {
		n += 40 + len(o.inverse[i].Type)
		for _, ch := range o.inverse[i].Changes {
			n += 36 + len(ch.Key) + len(ch.Value)
		}
		for _, old := range o.inverse[i].Old {
			n += 16 + len(old)
		}
	}
	return n
}

// findOwn looks for an own persisted action.
func (r *Replica) findOwn(id action.UUID) *ownEntry {
	if r.ownAt == nil {
		r.ownAt = make(map[action.UUID]int, len(r.own))
		for i := range r.own {
			r.ownAt[r.own[i].ID] = i
		}
	}
	if i, ok := r.ownAt[id]; ok {
		return &r.own[i]
	}
	return nil
}

// Fate is what became of an own action that is not waiting any more.
func (r *Replica) Fate(id action.UUID) (index uint64, rejected *Rejected, err error) {
	if own := r.findOwn(id); own != nil {
		return own.Index, nil, own.Err()
	}
	if j := r.rejected.get(id); j != nil {
		return 0, j, j.Err()
	}
	return 0, nil, action.Fail(action.CodeNotFound, "", "this client has made no action with this id, or it was long ago")
}

func (o *ownEntry) Err() error {
	if !o.discarded {
		return nil
	}
	return action.Fail(action.CodeConflict, "", "the action was discarded where it reached the log: "+string(o.reason))
}

// encodeRest writes what the replica is at its last record, without what is not committed.
func (r *Replica) encodeRest() []byte {
	s := r.state
	e := locallog.NewRecord(locallog.KindRest, 1024)
	r.log.write(e)
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
		r.pace.Took(pace.Look + sized(len(l.Raw)))
	}
	e.Uint(uint64(len(r.own)))
	for i := range r.own {
		o := &r.own[i]
		e.UUID(o.ID)
		e.Uint(o.seq)
		e.Uint(o.Index)
		e.Bool(o.discarded)
		e.String(string(o.reason))
	}
	e.Uint(uint64(r.rejected.len()))
	for _, j := range r.rejected.all() {
		e.Rejection(&j.Rejection)
		e.String(j.Action.Raw)
	}
	r.encodeHistory(e)
	return locallog.Finish(e)
}

// readRest fills an empty replica. The pending actions are not applied: the objects may not be there yet.
func (r *Replica) readRest(b []byte) error {
	d, err := locallog.Open(b, locallog.KindRest)
	if err != nil {
		return err
	}
	s := r.state
	r.log = readInit(d)
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
		r.pace.Took(pace.Apply + sized(len(l.Raw)))
	}
	r.own = make([]ownEntry, d.Count(20))
	for i := range r.own {
		r.own[i] = ownEntry{ID: d.UUID(), seq: d.Uint(), Index: d.Uint(), discarded: d.Bool(), reason: state.Reason(d.String())}
		r.lastPersisted = max(r.lastPersisted, r.own[i].seq)
	}
	for range d.Count(36) {
		j := Rejected{Rejection: d.Rejection()}
		if err := d.Action(&j.Action, &r.slab); err != nil {
			return err
		}
		r.rejected.add(j)
	}
	if d.More() {
		r.readHistory(d)
	}
	if !d.Ended() {
		return action.Corrupt("a local record has a broken body")
	}
	return nil
}
