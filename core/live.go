package core

import "slices"

// Live is a query whose result is kept up to date: each turn costs what it touched.
type Live struct {
	q    *Query
	hits []hit // all that match, sorted
}

// Subscribe keeps a query live until Unsubscribe.
func (s *Stream) Subscribe(q *Query) *Live {
	s.Flush()
	l := &Live{q: q, hits: s.state.planQuery(q).all(-1)}
	s.live = append(s.live, l)
	if s.state.before == nil {
		s.state.before = map[UUID]object{}
	}
	return l
}

// Unsubscribe ends a live query.
func (s *Stream) Unsubscribe(l *Live) {
	s.live = slices.DeleteFunc(s.live, func(m *Live) bool { return m == l })
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
	before := s.state.before
	if len(before) == 0 {
		return nil
	}
	s.state.before = map[UUID]object{}
	for id, was := range before {
		if o := s.state.object(id); o == nil && !was.live || o != nil && was.live && o.version == was.version {
			delete(before, id)
		}
	}
	var out []*Live
	for _, l := range s.live {
		if l.update(s.state, before) {
			out = append(out, l)
		}
	}
	return out
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
				l.hits = slices.Delete(l.hits, i, i+1)
			}
		}
		if has {
			h := p.hit(o)
			i, _ := l.find(&h)
			l.hits = slices.Insert(l.hits, i, h)
		}
	}
	if changed && anew {
		l.hits = p.all(-1)
	}
	return changed
}

func (l *Live) find(h *hit) (int, bool) {
	return slices.BinarySearchFunc(l.hits, h, func(a hit, b *hit) int { return l.q.compare(&a, b) })
}
