package state

// arena gives a state its touches and fields out of large blocks, as slab does for actions.
type arena struct {
	touches []Touch
	fields  []field
}

const arenaBlock = 1024

func (s *arena) touch(t Touch) *Touch {
	if s == nil {
		return &t
	}
	if len(s.touches) == cap(s.touches) {
		s.touches = make([]Touch, 0, arenaBlock/4)
	}
	s.touches = append(s.touches, t)
	return &s.touches[len(s.touches)-1]
}

// fieldsFor gives an empty slice with room for n fields.
func (s *arena) fieldsFor(n int) []field {
	if s == nil || n > arenaBlock/4 {
		return make([]field, 0, n)
	}
	if cap(s.fields)-len(s.fields) < n {
		s.fields = make([]field, 0, arenaBlock)
	}
	from := len(s.fields)
	s.fields = s.fields[:from+n]
	return s.fields[from : from : from+n]
}
