package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/refusal"
	"github.com/strandline-sync/strandline/core/replica"
)

// settling waits until each of some actions is in the log or refused.
type settling struct {
	left map[action.UUID]bool
	call plan.Call
}

// settled waits until all that is pending or uncommitted now is in the log or refused.
func (s *Journal) settled(call plan.Call) {
	w := settling{left: s.Unsettled(), call: call}
	if len(w.left) == 0 {
		s.p.Done(call, nil)
		return
	}
	s.settling = append(s.settling, w)
}

// settle tells those who waited for an action, the last of theirs.
func (s *Journal) settle(id action.UUID) {
	left := s.settling[:0:0]
	for _, w := range s.settling {
		if delete(w.left, id); len(w.left) == 0 {
			s.p.Done(w.call, nil)
		} else {
			left = append(left, w)
		}
	}
	s.settling = left
}

// persisted waits for what becomes of an own action.
func (s *Journal) persisted(id action.UUID, call plan.Call) {
	switch {
	case s.life == ended:
		s.p.Answer(call, &plan.Fate{Call: call, Err: ErrClosed})
	case s.WaitsFor(id):
		if s.asked == nil {
			s.asked = map[action.UUID][]plan.Call{}
		}
		s.asked[id] = append(s.asked[id], call)
	default:
		index, rejected, err := s.Fate(id)
		s.p.Answer(call, &plan.Fate{Call: call, Index: index, Rejected: rejected, Err: err})
	}
}

// fate tells those who asked for an action.
func (s *Journal) fate(id action.UUID, index uint64, rejected *replica.Rejected, err error) {
	calls := s.asked[id]
	delete(s.asked, id)
	for _, call := range calls {
		s.p.Answer(call, &plan.Fate{Call: call, Index: index, Rejected: rejected, Err: err})
	}
}

// letGo answers all who wait: the stream ends.
func (s *Journal) letGo(err error) {
	ids := make([]action.UUID, 0, len(s.asked))
	for id := range s.asked {
		ids = append(ids, id)
	}
	action.SortBy(len(ids), func(i, j int) bool { return string(ids[i][:]) < string(ids[j][:]) },
		func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range ids {
		s.fate(id, 0, nil, err)
	}
	for _, w := range s.settling {
		s.p.Done(w.call, err)
	}
	s.settling = nil
	s.answerDiscards(err)
}

// discard waits until a refused action is off the list.
type discard struct {
	id   action.UUID
	call plan.Call
}

// discard takes a refused action off the list.
func (s *Journal) discard(id action.UUID, call plan.Call) {
	switch {
	case s.Closed():
		s.p.Done(call, ErrClosed)
	case s.broken != nil:
		s.p.Done(call, s.broken)
	case s.Refused(id) == nil:
		s.p.Done(call, refusal.ErrNone())
	default:
		s.DiscardSoon(id)
		s.discards = append(s.discards, discard{id, call})
		s.Pump()
	}
}

// answerDiscards tells those whose discard is done; with an error all of them, that it will not be.
func (s *Journal) answerDiscards(err error) {
	if len(s.discards) == 0 {
		return
	}
	var left []discard
	over := map[action.UUID]bool{}
	for _, w := range s.discards {
		if err == nil && s.IsRejected(w.id) {
			left = append(left, w)
		} else {
			over[w.id] = true
			s.p.Done(w.call, err)
		}
	}
	s.discards = left
	s.Discarded(over)
}
