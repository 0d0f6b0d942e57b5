package state

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
)

// CheckpointReader reads a checkpoint, as AppendCheckpoint writes it, into a state. It does so in steps, so that whoever has
// but one thread stays responsive. The state's values point into the text.
type CheckpointReader struct {
	State  *State
	Stream string

	c       action.Cursor
	touches []*Touch // of the object under way
	fields  []keyValue
	rows    []clients.Row
	last    action.UUID // of the line before
	objects bool        // the clients are read
}

type keyValue struct{ key, value string }

var errCheckpoint = action.Malformed("", "is no checkpoint")

// NewCheckpointReader reads the header.
func NewCheckpointReader(text string) (*CheckpointReader, error) {
	r := &CheckpointReader{State: NewState(), c: action.NewCursor(text)}
	s, c := r.State, &r.c
	var err error
	chain, ok := "", c.Lit(`{"chain":`)
	if ok {
		chain, ok = c.Str()
	}
	if ok {
		s.Chain, ok = action.ParseChain(chain)
	}
	if ok = ok && c.Lit(`,"epoch":`); ok {
		s.Epoch, err = c.UUID()
	}
	if ok = ok && err == nil && c.Lit(`,"format":`+CheckpointFormat+`,"head":`); ok {
		s.Head, err = c.Integer()
	}
	if ok = ok && err == nil && c.Lit(`,"stream":`); ok {
		r.Stream, ok = c.Str()
	}
	if !ok || err != nil || !c.Lit("}\n") {
		return nil, errCheckpoint
	}
	return r, nil
}

// Step reads at least that many bytes, to the end of a line, and says whether all is read.
func (r *CheckpointReader) Step(bytes int) (done bool, err error) {
	for stop := min(r.c.Len(), r.c.Pos()+bytes); r.c.Pos() < stop; {
		ok := false
		if !r.objects && r.c.Lit(`{"client":`) {
			ok = r.client()
		} else if r.c.Lit(`{"fields":{`) {
			if !r.objects {
				r.objects, r.last = true, action.Nil
				r.placeClients()
			}
			ok = r.object()
		}
		if !ok || !r.c.Lit("}\n") {
			return false, errCheckpoint
		}
	}
	done = r.c.Pos() == r.c.Len()
	if done {
		r.State.Came(r.c.Len()) // more than half of it is ids and numbers, which are kept in binary
		r.placeClients()
	}
	return done, nil
}

// placeClients puts the rows that were read into the state: they come by id, and it keeps them by their index.
func (r *CheckpointReader) placeClients() {
	r.State.clients.Fill(r.rows)
	r.rows = nil
}

// ReadCheckpoint reads a whole one.
func ReadCheckpoint(text string) (stream string, s *State, err error) {
	r, err := NewCheckpointReader(text)
	if err == nil {
		_, err = r.Step(len(text))
	}
	if err != nil {
		return "", nil, err
	}
	return r.Stream, r.State, nil
}

// next takes the id that the line is about; the lines of one kind rise by it.
func (r *CheckpointReader) next() (id action.UUID, ok bool) {
	id, err := r.c.UUID()
	if err != nil || id.Compare(r.last) <= 0 {
		return id, false
	}
	r.last = id
	return id, true
}

func (r *CheckpointReader) client() bool {
	id, ok := r.next()
	if !ok || !r.c.Lit(`,"last":[`) {
		return false
	}
	row := clients.Row{Client: id}
	var err error
	if row.Seq, err = r.c.Integer(); err != nil || !r.c.Take(',') {
		return false
	}
	if row.Index, err = r.c.Integer(); err != nil || row.Index > r.State.Head || !r.c.Take(',') {
		return false
	}
	if row.Action, err = r.c.UUID(); err != nil {
		return false
	}
	r.rows = append(r.rows, row)
	return r.c.Take(']')
}

// touch reads one; of an object's touches, those that are equal are one in memory.
func (r *CheckpointReader) touch() *Touch {
	var t Touch
	var err error
	c := &r.c
	if !c.Take('[') {
		return nil
	}
	if t.Index, err = c.Integer(); err != nil || t.Index == 0 || t.Index > r.State.Head || !c.Take(',') {
		return nil
	}
	if t.Client, err = c.UUID(); err != nil || !c.Take(',') {
		return nil
	}
	if t.Action, err = c.UUID(); err != nil || !c.Take(']') {
		return nil
	}
	for _, known := range r.touches {
		if *known == t {
			return known
		}
	}
	p := r.State.arena.touch(t)
	r.touches = append(r.touches, p)
	return p
}

func (r *CheckpointReader) object() bool {
	s, c := r.State, &r.c
	r.touches, r.fields = r.touches[:0], r.fields[:0]
	last := ""
	for {
		key, more, err := c.Key(len(r.fields) == 0, &last)
		if err != nil {
			return false
		}
		if !more {
			break
		}
		value, ok := c.Raw(action.MaxDepth)
		if !ok || action.CheckKey(key) != nil {
			return false
		}
		r.fields = append(r.fields, keyValue{key, value})
	}
	o := object{live: true, bytes: 1}
	var err error
	if c.Lit(`,"lock":`) {
		o.locked = true
		if o.lock, err = c.UUID(); err != nil {
			return false
		}
	}
	ok := c.Lit(`,"object":`)
	if ok {
		o.id, ok = r.next()
	}
	if !ok {
		return false
	}
	if c.Lit(`,"other":`) {
		if o.other = r.touch(); o.other == nil {
			return false
		}
	}
	if !c.Lit(`,"touch":`) {
		return false
	}
	if o.touch = r.touch(); o.touch == nil || !c.Lit(`,"type":`) {
		return false
	}
	typ, ok := c.Str()
	if !ok || action.CheckName(typ) != nil || !c.Lit(`,"writes":{`) {
		return false
	}
	o.typ = s.name(typ)
	return r.writes(&o)
}

// writes reads the last part of an object's line: each key that was ever written, in order; those that have a value are r.fields.
func (r *CheckpointReader) writes(o *object) bool {
	s, c := r.State, &r.c
	o.fields = s.arena.fieldsFor(len(r.fields))
	last, at := "", 0
	for n := 0; ; n++ {
		key, more, err := c.Key(n == 0, &last)
		if err != nil {
			return false
		}
		if !more {
			break
		}
		f := field{key: s.name(key)}
		write := r.touch()
		if write == nil {
			return false
		}
		if at < len(r.fields) && r.fields[at].key == key {
			f.value = r.fields[at].value
			o.bytes += action.MemberBytes(key, f.value)
			at++
		}
		f.set(f.value, write)
		o.fields = append(o.fields, f)
	}
	if at < len(r.fields) {
		return false
	}
	s.bump(o)
	s.insert(*o)
	return true
}
