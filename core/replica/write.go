package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

// Write applies a draft at once. It waits uncommitted. reached tells whether the server was, not long ago: only then
// what exists may be written in conflict-free mode.
func (r *Replica) Write(d *queue.Draft, ticket uint64, reached bool) (err error) {
	guarded := d
	if r.log.ConflictFree {
		if guarded, err = r.guarded(d, reached); err != nil {
			return err
		}
	}
	l, err := r.write(guarded, ticket)
	if err != nil {
		return err
	}
	d.Objects = d.Objects[:0]
	for i := range l.Ops {
		d.Objects = append(d.Objects, l.Ops[i].Object)
	}
	return nil
}

func (r *Replica) write(d *queue.Draft, ticket uint64) (*queue.Local, error) {
	l, err := queue.Make(d, r.log.Client, r.state.Head, &r.slab)
	if err != nil {
		return nil, err
	}
	if err := r.state.TooMuch(&l.Action); err != nil {
		return nil, err
	}
	r.state.Came(len(l.Raw))
	l.Ticket, l.Retries = ticket, d.Retries
	if !l.Atomic {
		if err := queue.Check(r.state, &l.Action); err != nil {
			return nil, err
		}
	}
	if r.apply(l); l.Atomic && r.effect.Discarded {
		return nil, queue.Refusal(r.state, &l.Action)
	}
	if r.q.Add(l); r.claims != nil && l.Retries != action.Nil {
		r.claims[l.Retries] = true
	}
	return l, nil
}

// CheckDraft tells what is wrong with a draft that can be seen without the state.
func (r *Replica) CheckDraft(d *queue.Draft) error {
	l, err := queue.Make(d, r.log.Client, r.state.Head, &action.Slab{})
	if err != nil {
		return err
	}
	return r.state.TooMuch(&l.Action)
}

// Preview appends an object's row as a draft would leave it, nothing where there would be none. The draft's ops are all about
// the object; what of them does not stand is told when the draft is written. Nothing changes.
func (r *Replica) Preview(dst []byte, object action.UUID, d *queue.Draft) ([]byte, error) {
	l, err := queue.Make(d, r.log.Client, r.state.Head, &action.Slab{})
	if err != nil {
		return dst, err
	}
	var u state.Undo
	r.state.ApplyPending(&l.Action, &u, nil)
	dst = r.state.AppendRow(dst, object)
	r.state.Unapply(&u)
	return dst, nil
}
