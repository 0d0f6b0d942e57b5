package state

import "github.com/strandline-sync/strandline/core/action"

// AppendRow writes an object as an app sees it: id, type and fields in one JSON object. It writes nothing where there is none.
func (s *State) AppendRow(dst []byte, id action.UUID) []byte {
	if slot, ok := s.byID[id]; ok {
		return s.appendRow(dst, s.objects.at(slot))
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

// AppendRows writes rows from a slot on, with commas between, until dst has that many bytes. It gives where to go on; 0 when that was all.
// Objects that change between two calls may be in none of them, or in both.
func (s *State) AppendRows(dst []byte, from Slot, most int) ([]byte, Slot) {
	begin := len(dst)
	for ; from < s.objects.n; from++ {
		o := s.objects.at(from)
		if !o.live {
			continue
		}
		if len(dst) >= most {
			return dst, from
		}
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		dst = s.appendRow(dst, o)
	}
	return dst, 0
}
