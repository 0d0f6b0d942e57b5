package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// Adopt takes over an action that another profile has not sent, under its id: whoever sends it first, the other one finds it in the log.
// raw is its text. Whether it stands is for the log to say. It waits uncommitted. It is ErrKnown that it is known here, and ErrLeft that it
// had better be left: the log may have it, or it stands by what its maker has locked or seen.
func (r *Replica) Adopt(raw string, ticket uint64) (l *queue.Local, err error) {
	a, err := action.DecodeAction(raw)
	if err != nil {
		return nil, err
	}
	all, maker := r.own.All(), queue.MakerOf(a, r.log.Client, r.former)
	if r.knows(a.ID) || r.state.Has(a.ID, maker) {
		return nil, queue.ErrKnown
	}
	l = (&queue.Local{Action: *a}).RemadeFor(r.log.Client, min(a.Base, r.state.Head), maker)
	forgot := maker.Seq == 0 && r.own.Forgot() && all[0].Seq > a.Seq
	if forgot || r.state.MayHave(maker) || len(l.Raw) > action.MaxActionBytes ||
		a.Client != r.log.Client && r.state.StandsForOld(a, r.log.Client) {
		return nil, queue.ErrLeft
	}
	l.Ticket = ticket
	r.state.Came(len(l.Raw))
	r.apply(l)
	r.q.Add(l)
	return l, nil
}

// knows tells whether an action is one of those that are remembered here.
func (r *Replica) knows(id action.UUID) bool {
	return r.q.Find(id) != nil || r.own.Find(id) != nil || r.IsRejected(id)
}
