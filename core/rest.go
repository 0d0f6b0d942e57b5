package core

// The rest of a local checkpoint is what a replica holds beside its objects, as one record:
//
//	what record 0 says · last seq · head · epoch · chain · clients · pending · own · rejected

// ownEntry is an action of this client that the log has.
type ownEntry struct {
	id        UUID
	seq       uint64
	index     uint64
	discarded bool
	reason    Reason
	undoes    UUID
	inverse   []inverseOp // what takes it back; of the last maxInverses
}

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
	}
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
	}
	return n
}

// findOwn looks for an own persisted action, the newest first.
func (r *Replica) findOwn(id UUID) *ownEntry {
	for i := len(r.own) - 1; i >= 0; i-- {
		if r.own[i].id == id {
			return &r.own[i]
		}
	}
	return nil
}

// fate is what became of an own action that is not waiting any more.
func (r *Replica) fate(id UUID) (index uint64, rejected *Rejected, err error) {
	if own := r.findOwn(id); own != nil {
		return own.index, nil, own.err()
	}
	for i := range r.rejected {
		if j := &r.rejected[i]; j.ID == id {
			return 0, j, j.err()
		}
	}
	return 0, nil, fail(CodeNotFound, "", "this client has made no action with this id, or it was long ago")
}

func (o *ownEntry) err() error {
	if !o.discarded {
		return nil
	}
	return fail(CodeConflict, "", "the action was discarded where it reached the log: "+string(o.reason))
}

// encodeRest writes what the replica is at its last record, without what is not committed.
func (r *Replica) encodeRest() []byte {
	s := r.state
	e := newRecord(recordRest, 1024)
	r.log.write(e)
	e.uint(r.lastSeq)
	e.uint(s.Head)
	e.uuid(s.Epoch)
	e.chain(s.Chain)
	e.uint(uint64(s.ClientCount()))
	for row := range s.Clients() {
		e.uuid(row.Client)
		e.uint(row.Seq)
		e.uint(row.Index)
		e.uuid(row.Action)
	}
	e.uint(uint64(len(r.pending)))
	for _, l := range r.pending {
		e.string(l.Raw)
	}
	e.uint(uint64(len(r.own)))
	for i := range r.own {
		o := &r.own[i]
		e.uuid(o.id)
		e.uint(o.seq)
		e.uint(o.index)
		e.bool(o.discarded)
		e.string(string(o.reason))
	}
	e.uint(uint64(len(r.rejected)))
	for i := range r.rejected {
		e.rejection(&r.rejected[i].Rejection)
		e.string(r.rejected[i].Action.Raw)
	}
	r.encodeHistory(e)
	return finishRecord(e)
}

// readRest fills an empty replica. The pending actions are not applied: the objects may not be there yet.
func (r *Replica) readRest(b []byte) error {
	d, err := openRecord(b, recordRest)
	if err != nil {
		return err
	}
	s := r.state
	r.log = readInit(d)
	r.lastSeq, s.Head, s.Epoch, s.Chain = d.uint(), d.uint(), d.uuid(), d.chain()
	for range d.count(34) {
		s.PutClient(ClientRow{Client: d.uuid(), Seq: d.uint(), Index: d.uint(), Action: d.uuid()})
	}
	for range d.count(2) {
		l := new(local)
		if err := d.action(&l.Action, &r.slab); err != nil {
			return err
		}
		r.enqueue(l)
	}
	r.own = make([]ownEntry, d.count(20))
	for i := range r.own {
		r.own[i] = ownEntry{id: d.uuid(), seq: d.uint(), index: d.uint(), discarded: d.bool(), reason: Reason(d.string())}
	}
	r.rejected = make([]Rejected, d.count(36))
	for i := range r.rejected {
		r.rejected[i].Rejection = d.rejection()
		if err := d.action(&r.rejected[i].Action, &r.slab); err != nil {
			return err
		}
	}
	if d.more() {
		r.readHistory(d)
	}
	if !d.ended() {
		return corrupt("a local record has a broken body")
	}
	return nil
}
