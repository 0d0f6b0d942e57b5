package state

import "github.com/strandline-sync/strandline/core/action"

// AppendRow writes an object as an app sees it: id, type and fields in one JSON object. It writes nothing where there is none.
func (s *State) AppendRow(dst []byte, id action.UUID) []byte {
	o := s.object(id)
	if o == nil {
		return dst
	}
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
