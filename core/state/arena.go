package state

// arena gives a state its touches and fields out of blocks, as a slab does for actions; they begin small and double.
type arena struct {
	touches []Touch
	fields  []field
	took    int // bytes of blocks that were made
}

const arenaBlock = 1024

func (s *arena) touch(t Touch) *Touch {
	if s == nil {
		return &t
	}
	if len(s.touches) == cap(s.touches) {
		s.touches = make([]Touch, 0, min(max(4, 2*cap(s.touches)), arenaBlock/4))
		s.took += cap(s.touches) * touchCost
	}
	s.touches = append(s.touches, t)
	return &s.touches[len(s.touches)-1]
}

// fieldsFor gives an empty slice with room for n fields.
func (s *arena) fieldsFor(n int) []field {
	if s == nil || n > arenaBlock/4 {
		s.tookFields(n)
		return make([]field, 0, n)
	}
	if cap(s.fields)-len(s.fields) < n {
		s.fields = make([]field, 0, max(n, min(max(16, 2*cap(s.fields)), arenaBlock)))
		s.tookFields(cap(s.fields))
	}
	from := len(s.fields)
	s.fields = s.fields[:from+n]
	return s.fields[from : from : from+n]
}

func (s *arena) tookFields(n int) {
	if s != nil {
		s.took += n * fieldBytes
	}
}
