package core

import "context"

// DefaultCompact is how many bytes of records are worth a local checkpoint.
const DefaultCompact = 256 << 10

// compactDelay lets what caused the last record go on first, in milliseconds.
const compactDelay = 100

// weigh takes a checkpoint soon where the records after the last one outweigh it: each byte of the log is then written
// about twice, and start-up reads at most about twice the state.
func (s *Stream) weigh() {
	if s.compacting || s.closed || s.broken != nil || !s.db.leading || !s.heavy() {
		return
	}
	s.compacting = true
	s.db.host.After(compactDelay, s.compact)
}

func (s *Stream) heavy() bool {
	weight := 0
	for _, n := range s.weights {
		weight += n
	}
	return weight >= max(s.db.compact, s.state.paging.base.bytes)
}

// compact looks whether another context was first, then takes a snapshot and writes it in steps, each a task of its own.
func (s *Stream) compact() {
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		raw, err := store.Manifest(context.Background(), name)
		var m *manifest
		if err == nil && raw != nil {
			m, err = decodeManifest(raw)
		}
		return func() {
			p := s.state.paging
			switch {
			case s.closed || s.broken != nil || err != nil: // it is tried again at the next record
				s.compacting = false
			case m != nil && string(m.raw) != string(p.base.raw):
				s.compacting = false
				s.rebasePaging(m)
				s.weigh()
			case m != nil && m.lsn == s.next-1:
				s.compacting = false
			default:
				n := p.snapshot(s.state, s.next-1, s.log.log, s.encodeRest(), s.pending, s.uncommitted)
				s.writeSnapshot(n)
			}
		}
	})
}

// rebasePaging takes note of another context's checkpoint. What this one knows of its pages is only their names.
func (s *Stream) rebasePaging(m *manifest) {
	p := newPaging(m)
	for i := range p.base.pages {
		p.base.pages[i].dirty = true
	}
	s.state.paging = p
	s.keepWeights(m.lsn)
}

// keepWeights forgets what the records up to lsn weigh.
func (r *Replica) keepWeights(lsn LSN) {
	if after := int(r.next) - 1 - int(lsn); after >= 0 && after < len(r.weights) {
		r.weights = append(r.weights[:0:0], r.weights[len(r.weights)-after:]...)
	}
}

func (s *Stream) writeSnapshot(n *snapshot) {
	p := s.state.paging
	if s.closed || p.snap != n { // closed, or read anew
		s.compacting = false
		return
	}
	if !n.step() {
		s.db.host.After(0, func() { s.writeSnapshot(n) })
		return
	}
	store, name, c := s.db.store, s.name, n.seal(n.base)
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		return func() {
			s.compacting = false
			if s.state.paging != p || p.snap != n {
				return
			}
			if err != nil { // also where the outcome is unknown: the next look at the manifest tells
				p.snap = nil
				return
			}
			p.stored(n)
			s.keepWeights(n.out.LSN)
			s.weigh()
		}
	})
}
