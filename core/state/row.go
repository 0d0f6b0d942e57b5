package state

import "github.com/strandline-sync/strandline/core/action"

// AppendRow writes an object as an app sees it: id, type and fields in one JSON object. It writes nothing where there is none.
func (s *State) AppendRow(dst []byte, id action.UUID) []byte {
	if o := s.object(id); o != nil {
		dst = s.appendRow(dst, o)
	}
	return dst
}

func (s *State) appendRow(dst []byte, o *object) []byte {
	dst = append(dst, `{"id":"`...)
	dst = o.id.Append(dst)
	dst = append(dst, `","type":`...)
	dst = action.AppendString(dst, s.names[o.typ])
	for i := range o.fields {
		if f := &o.fields[i]; f.value != "" {
			dst = append(dst, ',')
			dst = append(action.AppendString(dst, s.names[f.key]), ':')
			dst = append(dst, f.value...)
		}
	}
	return append(dst, '}')
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
