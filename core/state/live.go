package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Live is a query whose result is kept up to date: each turn costs what it touched.
type Live struct {
	q    *Query
	hits []hit // all that match, sorted
}

// Lives are the live queries over one state at a time, which collects what changes for them.
type Lives struct {
	all     []*Live
	changed []*Live // flushed, not yet told
}

// Subscribe keeps a query live until Unsubscribe.
func (ls *Lives) Subscribe(s *State, q *Query) *Live {
	ls.changed = ls.Flush(s) // what the others are owed comes with the next Flush
	l := &Live{q: q, hits: s.planQuery(q).all(-1)}
	ls.all = append(ls.all, l)
	if s.step.before == nil {
		s.step = Step{before: Changes{}}
	}
	return l
}

// Unsubscribe ends a live query.
func (ls *Lives) Unsubscribe(s *State, l *Live) {
	for i, m := range ls.all {
		if m == l {
			ls.all = append(ls.all[:i:i], ls.all[i+1:]...)
			break
		}
	}
	if len(ls.all) == 0 {
		s.step = Step{}
	}
}

// Rows is the live result, as of the last Flush.
func (l *Live) Rows(s *State) []Row { return s.rows(l.q.window(l.hits)) }

// Over makes the live queries anew over another state.
func (ls *Lives) Over(s *State) {
	if len(ls.all) == 0 {
		return
	}
	s.step = Step{before: Changes{}}
	for _, l := range ls.all {
		l.hits = s.planQuery(l.q).all(-1)
	}
	ls.changed = append(ls.changed[:0:0], ls.all...)
}

// manyChanges is from when on sorting anew is cheaper than moving single hits.
const manyChanges = 64

// Flush brings the live queries up to date with all that changed since the last one, and gives those that may have
// another result.
func (ls *Lives) Flush(s *State) []*Live {
	before, out := s.step.before, ls.changed
	ls.changed = nil
	if len(before) == 0 {
		return out
	}
	s.step = Step{before: Changes{}}
	for id, was := range before {
		if o := s.object(id); o == nil && !was.live || o != nil && was.live && o.version == was.version {
			delete(before, id)
		}
	}
	for _, l := range ls.all {
		if l.update(s, before) && !contains(out, l) {
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

func (l *Live) update(s *State, before map[action.UUID]object) (changed bool) {
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
