package state

import (
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

// AppendRow writes an object as an app sees it: id, type and fields in one JSON object. It writes nothing where there is none.
func (s *State) AppendRow(dst []byte, id action.UUID) []byte {
	if o := s.object(id); o != nil {
		dst = s.appendRow(dst, o)
	}
	return dst
}

func (s *State) appendRow(dst []byte, o *object) []byte {
	fields, typ := o.fields, s.names[o.typ]
	dst = append(o.id.Append(append(dst, `{"id":"`...)), `","type":`...)
	dst = action.AppendString(dst, typ)
	if s.ordered(o.typ) {
		fields = s.byWrite(fields)
		dst = appendWrites(dst, fields)
	}
	for i := range fields {
		if f := &fields[i]; f.value != "" {
			dst = append(dst, ',')
			dst = append(action.AppendString(dst, s.names[f.key]), ':')
			dst = append(dst, f.value...)
		}
	}
	return append(dst, '}')
}

// InOrder has the rows of some types tell which of their keys was written last: behind id and type stands a member without a name, an array
// that says how many of the keys behind it each write has, in the order of the writes; and in that order the keys come. later tells of two
// pending actions whether the first one comes after the second.
func (s *State) InOrder(types []string, later func(a, b action.UUID) bool) {
	s.inOrder, s.later = nil, later
	if len(types) > 0 {
		s.inOrder = make(map[string]bool, len(types))
	}
	for _, t := range types {
		s.inOrder[t] = true
	}
}

// byWrite is fields in the order of their last writes: of one action as they are, pending ones at the end. It holds until the next call.
func (s *State) byWrite(fields []field) []field {
	out := s.sorted[:0]
	for i := range fields {
		out = append(out, fields[i])
		for n := len(out) - 1; n > 0 && s.after(out[n-1].write, out[n].write); n-- {
			out[n-1], out[n] = out[n], out[n-1]
		}
	}
	s.sorted = out
	return out
}

// appendWrites says how many keys each write of fields in their order has.
func appendWrites(dst []byte, fields []field) []byte {
	dst = append(dst, `,"":[`...)
	var last *Touch
	n := 0
	for i := range fields {
		f := &fields[i]
		if f.value == "" {
			continue
		}
		if last != nil && f.write != last && f.write.Action != last.Action {
			dst = append(strconv.AppendInt(dst, int64(n), 10), ',')
			n = 0
		}
		last = f.write
		n++
	}
	if n > 0 {
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, ']')
}

// after tells whether a write came after another.
func (s *State) after(a, b *Touch) bool {
	switch {
	case a == b || a.Action == b.Action:
		return false
	case a.Index > 0 && b.Index > 0:
		return a.Index > b.Index
	case a.Index > 0 || b.Index > 0:
		return a.Index == 0
	}
	return s.later != nil && s.later(a.Action, b.Action)
}

// Images are objects as they were before some applications, which were the last ones.
type Images struct {
	s  *State
	of map[action.UUID]*image
}

// Images looks at what these undos would restore, which were saved in this order. It holds until the next change.
func (s *State) Images(undos []*Undo) Images {
	n := Images{s: s, of: map[action.UUID]*image{}}
	for _, u := range undos {
		for i := range u.images {
			im := &u.images[i]
			if n.of[im.id] == nil {
				n.of[im.id] = im
			}
		}
	}
	return n
}

// AppendRow writes an object as an app saw it then. It writes nothing where there was none.
func (n *Images) AppendRow(dst []byte, id action.UUID) []byte {
	im := n.of[id]
	switch {
	case im == nil:
		return n.s.AppendRow(dst, id)
	case im.absent:
		return dst
	}
	return n.s.appendRow(dst, &im.object)
}
