package core

// Live is a query whose result is kept up to date: each turn costs what it touched.
type Live struct {
	q    *Query
	hits []hit // all that match, sorted
}

// Subscribe keeps a query live until Unsubscribe.
func (s *Stream) Subscribe(q *Query) *Live {
	s.changed = s.Flush() // what the others are owed comes with the next Flush
	l := &Live{q: q, hits: s.state.planQuery(q).all(-1)}
	s.live = append(s.live, l)
	if s.state.before == nil {
		s.state.before = map[UUID]object{}
	}
	return l
}

// Unsubscribe ends a live query.
func (s *Stream) Unsubscribe(l *Live) {
	for i, m := range s.live {
		if m == l {
			s.live = append(s.live[:i:i], s.live[i+1:]...)
			break
		}
	}
	if len(s.live) == 0 {
		s.state.before = nil
	}
}

// Rows is the live result, as of the last Flush.
func (s *Stream) Rows(l *Live) []Row { return s.state.rows(l.q.window(l.hits)) }

// manyChanges is from when on sorting anew is cheaper than moving single hits.
const manyChanges = 64

// Flush brings the live queries up to date with all that changed since the last one, and gives those that may have
// another result.
func (s *Stream) Flush() []*Live {
	before, out := s.state.before, s.changed
	s.changed = nil
	if len(before) == 0 {
		return out
	}
	s.state.before = map[UUID]object{}
	for id, was := range before {
		if o := s.state.object(id); o == nil && !was.live || o != nil && was.live && o.version == was.version {
			delete(before, id)
		}
	}
	for _, l := range s.live {
		if l.update(s.state, before) && !contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func contains(list []*Live, l *Live) bool {
	for _, m := range list {
		if m == l {
			return true
		}
	}
	return false
}

func (l *Live) update(s *State, before map[UUID]object) (changed bool) {
	p := s.planQuery(l.q)
	anew := len(before) > manyChanges && len(before) > len(l.hits)/16
	for id, was := range before {
		o := s.object(id)
		had, has := p.matches(&was), o != nil && p.matches(o)
		if !had && !has {
			continue
		}
		changed = true
		if anew {
			break
		}
		if had {
			h := p.hit(&was)
			if i, found := l.find(&h); found {
				l.hits = append(l.hits[:i], l.hits[i+1:]...)
			}
		}
		if has {
			h := p.hit(o)
			i, _ := l.find(&h)
			l.hits = append(l.hits, h)
			copy(l.hits[i+1:], l.hits[i:])
			l.hits[i] = h
		}
	}
	if changed && anew {
		l.hits = p.all(-1)
	}
	return changed
}

// find is where a hit stands, or would stand.
func (l *Live) find(h *hit) (i int, found bool) {
	low, high := 0, len(l.hits)
	for low < high {
		mid := (low + high) / 2
		switch c := l.q.compare(&l.hits[mid], h); {
		case c == 0:
			return mid, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}
