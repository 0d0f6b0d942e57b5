package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/pace"
)

// initRecord names the log.
type initRecord struct {
	log, client  action.UUID
	user         string
	conflictFree bool
}

// turnRecord is everything that one turn changes, so that it is atomic by construction. The entries follow after;
// then the persisted, which are pending actions named by id.
type turnRecord struct {
	after     uint64
	epoch     action.UUID
	chain     action.Chain // at after + len(entries) + len(persisted)
	entries   []action.Entry
	persisted []action.UUID
	rejected  []action.Rejection
	at        int64       // when it was planned, Unix milliseconds
	rekey     action.UUID // the client id that the log goes on under; Nil for no other one
}

func encodeInit(r initRecord) []byte {
	e := locallog.NewRecord(locallog.KindInit, 64)
	r.write(e)
	return locallog.Finish(e)
}

// encodeCommit makes the record of new pending actions, and of the refused ones that are dealt with.
func encodeCommit(raws []string, dismissed []action.UUID, p *pace.Pace) []byte {
	size := 8
	for _, raw := range raws {
		size += len(raw) + 4
	}
	e := locallog.NewRecord(locallog.KindCommit, size)
	e.Uint(uint64(len(raws)))
	for _, raw := range raws {
		e.String(raw)
		p.Took(pace.Look + sized(len(raw)))
	}
	if len(dismissed) > 0 { // the list came later than the record
		e.Uint(uint64(len(dismissed)))
		for _, id := range dismissed {
			e.UUID(id)
		}
	}
	return locallog.Finish(e)
}

// encodeTurn writes the record. The raw bytes of the entries are copied into it.
func encodeTurn(r *turnRecord) []byte {
	size := 64 + 16*len(r.persisted)
	for i := range r.entries {
		size += len(r.entries[i].Action.Raw) + len(r.entries[i].By) + 16
	}
	e := locallog.NewRecord(locallog.KindTurn, size)
	e.Uint(r.after)
	e.UUID(r.epoch)
	e.Chain(r.chain)
	e.Uint(uint64(len(r.entries)))
	for i := range r.entries {
		e.Uint(uint64(r.entries[i].Stored))
		e.String(r.entries[i].By)
		e.String(r.entries[i].Action.Raw)
	}
	e.Uint(uint64(len(r.persisted)))
	for _, id := range r.persisted {
		e.UUID(id)
	}
	e.Uint(uint64(len(r.rejected)))
	for i := range r.rejected {
		e.Rejection(&r.rejected[i])
	}
	e.Uint(uint64(r.at))
	if r.rekey != action.Nil {
		e.UUID(r.rekey)
	}
	return locallog.Finish(e)
}

// Record is a decoded one; the part that its kind names is set.
type Record struct {
	kind      locallog.Kind
	bytes     int
	init      initRecord
	actions   []action.Action
	dismissed []action.UUID
	turn      turnRecord
}

// decodeRecord reads a record. The strings of its actions point into b, which is never written again.
func decodeRecord(b []byte) (*Record, error) {
	d, err := locallog.Open(b, 0)
	if err != nil {
		return nil, err
	}
	r := &Record{kind: locallog.Kind(b[1]), bytes: len(b)}
	var sl action.Slab
	switch r.kind {
	case locallog.KindInit:
		r.init = readInit(d)
	case locallog.KindCommit:
		r.actions = make([]action.Action, d.Count(2))
		for i := range r.actions {
			if err := d.Action(&r.actions[i], &sl); err != nil {
				return nil, err
			}
		}
		if d.More() {
			r.dismissed = make([]action.UUID, d.Count(16))
			for i := range r.dismissed {
				r.dismissed[i] = d.UUID()
			}
		}
	case locallog.KindTurn:
		t := &r.turn
		t.after, t.epoch = d.Uint(), d.UUID()
		t.chain = d.Chain()
		t.entries = make([]action.Entry, d.Count(3))
		for i := range t.entries {
			e := &t.entries[i]
			e.Stored, e.By = int64(d.Uint()), d.String()
			if err := d.Action(&e.Action, &sl); err != nil {
				return nil, err
			}
		}
		t.persisted = make([]action.UUID, d.Count(16))
		for i := range t.persisted {
			t.persisted[i] = d.UUID()
		}
		t.rejected = make([]action.Rejection, d.Count(34))
		for i := range t.rejected {
			t.rejected[i] = d.Rejection()
		}
		if d.More() {
			t.at = int64(d.Uint())
		}
		if d.More() {
			t.rekey = d.UUID()
		}
	default:
		return nil, action.Fail(action.CodeUpgrade, "", "a local record of a kind that this version does not know")
	}
	if !d.Ended() {
		return nil, action.Corrupt("a local record has a broken body")
	}
	return r, nil
}

func (r *initRecord) write(e *action.Encoder) {
	e.UUID(r.log)
	e.UUID(r.client)
	e.String(r.user)
	e.Bool(r.conflictFree)
}

func readInit(d *action.Decoder) initRecord {
	return initRecord{log: d.UUID(), client: d.UUID(), user: d.String(), conflictFree: d.Bool()}
}
