package state

import (
	"iter"

	"github.com/strandline-sync/strandline/core/action"
)

// Object looks at one object as it is until the next change; it may be none.
type Object struct {
	s *State
	o *object
}

// Object looks at the object of that id.
func (s *State) Object(id action.UUID) Object { return Object{s, s.object(id)} }

// Objects are all that live, in no order that means anything.
func (s *State) Objects() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for slot := range s.objects.n {
			if o := s.objects.at(slot); o.live && !yield(Object{s, o}) {
				return
			}
		}
	}
}

// Exists tells whether there is one.
func (v Object) Exists() bool { return v.o != nil }

// ID is its id.
func (v Object) ID() action.UUID { return v.o.id }

// Type is its type.
func (v Object) Type() string { return v.s.names[v.o.typ] }

// Bytes is the canonical size of its fields.
func (v Object) Bytes() int { return v.o.bytes }

// Value is the canonical value of a key; false where there is none.
func (v Object) Value(key string) (value string, ok bool) { return v.s.value(v.o, key) }

// Write is the last write of a key, also of one that is unset; nil where there is none.
func (v Object) Write(key string) *Touch {
	if v.o == nil {
		return nil
	}
	if i, ok := v.s.field(v.o.fields, key); ok {
		return v.o.fields[i].write
	}
	return nil
}

// Fields are its keys with their values, sorted; an unset one has an empty value.
func (v Object) Fields() iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for i := range v.o.fields {
			if f := &v.o.fields[i]; !yield(v.s.names[f.key], f.value) {
				return
			}
		}
	}
}

// Touch is the last create or update that applied; nil where there is no object.
func (v Object) Touch() *Touch {
	if v.o == nil {
		return nil
	}
	return v.o.touch
}

// Other is the last touch by another client than the given one; nil where there is none.
func (v Object) Other(client action.UUID) *Touch {
	if v.o == nil {
		return nil
	}
	if v.o.touch.Client != client {
		return v.o.touch
	}
	return v.o.other
}

// Locked tells whether a client holds it.
func (v Object) Locked() bool { return v.o != nil && v.o.locked }

// HeldFrom tells whether another client than the given one holds it.
func (v Object) HeldFrom(client action.UUID) bool {
	return v.o != nil && v.o.locked && v.o.lock != client
}
