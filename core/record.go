package core

// initRecord names the log.
type initRecord struct {
	log, client  UUID
	user         string
	conflictFree bool
}

// turnRecord is everything that one turn changes, so that it is atomic by construction. The entries follow after;
// then the persisted, which are pending actions named by id.
type turnRecord struct {
	after     uint64
	epoch     UUID
	chain     Chain // at after + len(entries) + len(persisted)
	entries   []Entry
	persisted []UUID
	rejected  []Rejection
	at        int64 // when it was planned, Unix milliseconds
}

func encodeInit(r initRecord) []byte {
	e := newRecord(recordInit, 64)
	r.write(e)
	return finishRecord(e)
}

// encodeCommit makes the record of new pending actions, and of the refused ones that are dealt with.
func encodeCommit(raws []string, dismissed []UUID) []byte {
	size := 8
	for _, raw := range raws {
		size += len(raw) + 4
	}
	e := newRecord(recordCommit, size)
	e.uint(uint64(len(raws)))
	for _, raw := range raws {
		e.string(raw)
	}
	if len(dismissed) > 0 { // the list came later than the record
		e.uint(uint64(len(dismissed)))
		for _, id := range dismissed {
			e.uuid(id)
		}
	}
	return finishRecord(e)
}

// encodeTurn writes the record. The raw bytes of the entries are copied into it.
func encodeTurn(r *turnRecord) []byte {
	size := 64 + 16*len(r.persisted)
	for i := range r.entries {
		size += len(r.entries[i].Action.Raw) + len(r.entries[i].By) + 16
	}
	e := newRecord(recordTurn, size)
	e.uint(r.after)
	e.uuid(r.epoch)
	e.chain(r.chain)
	e.uint(uint64(len(r.entries)))
	for i := range r.entries {
		e.uint(uint64(r.entries[i].Stored))
		e.string(r.entries[i].By)
		e.string(r.entries[i].Action.Raw)
	}
	e.uint(uint64(len(r.persisted)))
	for _, id := range r.persisted {
		e.uuid(id)
	}
	e.uint(uint64(len(r.rejected)))
	for i := range r.rejected {
		e.rejection(&r.rejected[i])
	}
	e.uint(uint64(r.at))
	return finishRecord(e)
}

// record is a decoded one; the part that its kind names is set.
type record struct {
	kind      recordKind
	bytes     int
	init      initRecord
	actions   []Action
	dismissed []UUID
	turn      turnRecord
}

// decodeRecord reads a record. The strings of its actions point into b, which is never written again.
func decodeRecord(b []byte) (*record, error) {
	d, err := openRecord(b, 0)
	if err != nil {
		return nil, err
	}
	r := &record{kind: recordKind(b[1]), bytes: len(b)}
	var sl slab
	switch r.kind {
	case recordInit:
		r.init = readInit(d)
	case recordCommit:
		r.actions = make([]Action, d.count(2))
		for i := range r.actions {
			if err := d.action(&r.actions[i], &sl); err != nil {
				return nil, err
			}
		}
		if d.more() {
			r.dismissed = make([]UUID, d.count(16))
			for i := range r.dismissed {
				r.dismissed[i] = d.uuid()
			}
		}
	case recordTurn:
		t := &r.turn
		t.after, t.epoch = d.uint(), d.uuid()
		t.chain = d.chain()
		t.entries = make([]Entry, d.count(3))
		for i := range t.entries {
			e := &t.entries[i]
			e.Stored, e.By = int64(d.uint()), d.string()
			if err := d.action(&e.Action, &sl); err != nil {
				return nil, err
			}
		}
		t.persisted = make([]UUID, d.count(16))
		for i := range t.persisted {
			t.persisted[i] = d.uuid()
		}
		t.rejected = make([]Rejection, d.count(34))
		for i := range t.rejected {
			t.rejected[i] = d.rejection()
		}
		if d.more() {
			t.at = int64(d.uint())
		}
	default:
		return nil, fail(CodeUpgrade, "", "a local record of a kind that this version does not know")
	}
	if !d.ended() {
		return nil, corrupt("a local record has a broken body")
	}
	return r, nil
}

func (r *initRecord) write(e *encoder) {
	e.uuid(r.log)
	e.uuid(r.client)
	e.string(r.user)
	e.bool(r.conflictFree)
}

func readInit(d *decoder) initRecord {
	return initRecord{log: d.uuid(), client: d.uuid(), user: d.string(), conflictFree: d.bool()}
}
