// Package record is what stands in a local log: its records, encoded and decoded.
package record

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/pace"
)

// Init names the log.
type Init struct {
	Log, Client  action.UUID
	User         string
	ConflictFree bool
}

// Turn is everything that one turn changes, so that it is atomic by construction. The entries follow after;
// then the persisted, which are pending actions named by id.
type Turn struct {
	After     uint64
	Epoch     action.UUID
	Chain     action.Chain // at After + len(Entries) + len(Persisted)
	Entries   []action.Entry
	Persisted []action.UUID
	Rejected  []action.Rejection
	At        int64       // when it was planned, Unix milliseconds
	Rekey     action.UUID // the client id that the log goes on under; Nil for no other one
}

func EncodeInit(r Init) []byte {
	e := locallog.NewRecord(locallog.KindInit, 64)
	r.Write(e)
	return locallog.Finish(e)
}

// EncodeCommit makes the record of new pending actions, and of the refused ones that are dealt with.
func EncodeCommit(raws []string, dismissed []action.UUID, p *pace.Pace) []byte {
	size := 8
	for _, raw := range raws {
		size += len(raw) + 4
	}
	e := locallog.NewRecord(locallog.KindCommit, size)
	e.Uint(uint64(len(raws)))
	for _, raw := range raws {
		e.String(raw)
		p.Took(pace.Look + pace.Sized(len(raw)))
	}
	if len(dismissed) > 0 { // the list came later than the record
		e.Uint(uint64(len(dismissed)))
		for _, id := range dismissed {
			e.UUID(id)
		}
	}
	return locallog.Finish(e)
}

// EncodeTurn writes the record. The raw bytes of the entries are copied into it.
func EncodeTurn(r *Turn) []byte {
	size := 64 + 16*len(r.Persisted)
	for i := range r.Entries {
		size += len(r.Entries[i].Action.Raw) + len(r.Entries[i].By) + 16
	}
	e := locallog.NewRecord(locallog.KindTurn, size)
	e.Uint(r.After)
	e.UUID(r.Epoch)
	e.Chain(r.Chain)
	e.Uint(uint64(len(r.Entries)))
	for i := range r.Entries {
		e.Uint(uint64(r.Entries[i].Stored))
		e.String(r.Entries[i].By)
		e.String(r.Entries[i].Action.Raw)
	}
	e.Uint(uint64(len(r.Persisted)))
	for _, id := range r.Persisted {
		e.UUID(id)
	}
	e.Uint(uint64(len(r.Rejected)))
	for i := range r.Rejected {
		e.Rejection(&r.Rejected[i])
	}
	e.Uint(uint64(r.At))
	if r.Rekey != action.Nil {
		e.UUID(r.Rekey)
	}
	return locallog.Finish(e)
}

// Record is a decoded one; the part that its kind names is set.
type Record struct {
	Kind      locallog.Kind
	Bytes     int
	Init      Init
	Actions   []action.Action
	Dismissed []action.UUID
	Turn      Turn
}

// Decode reads a record. The strings of its actions point into b, which is never written again.
func Decode(b []byte) (*Record, error) {
	d, err := locallog.Open(b, 0)
	if err != nil {
		return nil, err
	}
	r := &Record{Kind: locallog.Kind(b[1]), Bytes: len(b)}
	var sl action.Slab
	switch r.Kind {
	case locallog.KindInit:
		r.Init = ReadInit(d)
	case locallog.KindCommit:
		r.Actions = make([]action.Action, d.Count(2))
		for i := range r.Actions {
			if err := d.Action(&r.Actions[i], &sl); err != nil {
				return nil, err
			}
		}
		if d.More() {
			r.Dismissed = make([]action.UUID, d.Count(16))
			for i := range r.Dismissed {
				r.Dismissed[i] = d.UUID()
			}
		}
	case locallog.KindTurn:
		t := &r.Turn
		t.After, t.Epoch = d.Uint(), d.UUID()
		t.Chain = d.Chain()
		t.Entries = make([]action.Entry, d.Count(3))
		for i := range t.Entries {
			e := &t.Entries[i]
			e.Stored, e.By = int64(d.Uint()), d.String()
			if err := d.Action(&e.Action, &sl); err != nil {
				return nil, err
			}
		}
		t.Persisted = make([]action.UUID, d.Count(16))
		for i := range t.Persisted {
			t.Persisted[i] = d.UUID()
		}
		t.Rejected = make([]action.Rejection, d.Count(34))
		for i := range t.Rejected {
			t.Rejected[i] = d.Rejection()
		}
		if d.More() {
			t.At = int64(d.Uint())
		}
		if d.More() {
			t.Rekey = d.UUID()
		}
	default:
		return nil, action.Corrupt("a local record of a kind that no log has")
	}
	if !d.Ended() {
		return nil, action.Corrupt("a local record has a broken body")
	}
	return r, nil
}

func (r *Init) Write(e *action.Encoder) {
	e.UUID(r.Log)
	e.UUID(r.Client)
	e.String(r.User)
	e.Bool(r.ConflictFree)
}

func ReadInit(d *action.Decoder) Init {
	return Init{Log: d.UUID(), Client: d.UUID(), User: d.String(), ConflictFree: d.Bool()}
}

// DecodeAll gives the records of a local log up to the first one that cannot be read, and why that is so.
func DecodeAll(blobs [][]byte, p *pace.Pace) (records []*Record, err error) {
	for _, b := range blobs {
		r, err := Decode(b)
		if err != nil {
			return records, err
		}
		records = append(records, r)
		p.Took(pace.Look + 4*pace.Sized(len(b)))
	}
	return records, nil
}
