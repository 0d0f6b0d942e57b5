package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// Adopt takes over an action that another profile has not sent, under its id: whoever sends it first, the other one finds it in the log.
// raw is its text. Whether it stands is for the log to say. It waits uncommitted; nil: it is known here.
func (r *Replica) Adopt(raw string, ticket uint64) (l *queue.Local, err error) {
	a, err := action.DecodeAction(raw)
	if err != nil {
		return nil, err
	}
	maker := a.For
	if maker.Seq == 0 && a.Client != r.log.Client && !slices.Contains(r.former, a.Client) { // else a copy, whose seq may be another's here
		maker = action.Maker{Client: a.Client, Seq: a.Seq}
	}
	if r.q.Find(a.ID) != nil || r.own.Find(a.ID) != nil || r.IsRejected(a.ID) || r.state.Has(a.ID, maker) {
		return nil, nil
	}
	l = queue.Adopted(a, r.log.Client, maker)
	l.Ticket = ticket
	r.state.Came(len(l.Raw))
	r.apply(l)
	r.q.Add(l)
	return l, nil
}
