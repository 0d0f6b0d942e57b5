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
		if err := r.check(&l.Action); err != nil {
			return nil, err
		}
	}
	if r.apply(l); l.Atomic && r.effect.Discarded {
		return nil, r.refusal(&l.Action)
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

// refusal says which part of an atomic action does not stand here and now, so that all of it was discarded.
func (r *Replica) refusal(a *action.Action) error {
	for i := range a.Guards {
		if !r.state.Holds(&a.Guards[i], a) {
			return action.Fail(action.CodeConflict, "/if/"+action.Itoa(i), "the guard does not hold")
		}
	}
	loose := *a
	loose.Atomic = false
	var u state.Undo
	var e state.Effect
	r.state.ApplyPending(&loose, &u, &e)
	r.state.Unapply(&u)
	for i := range e.Ops {
		at := "/" + action.Itoa(i)
		for _, k := range e.Ops[i].Keys {
			return queue.RefusedKey(at+"/"+action.EscapePointer(k.Key), k.Reason)
		}
		switch e.Ops[i].Reason {
		case state.ReasonExists:
			return errExists(at)
		case state.ReasonMissing:
			return errMissing(at)
		case state.ReasonLocked:
			return r.errLocked(at, a.Ops[i].Object)
		case state.ReasonSize:
			return action.Fail(action.CodeTooLarge, at, "an object has at most 1 MiB of fields")
		}
	}
	return action.Fail(action.CodeConflict, "", "it would be discarded")
}

func errExists(at string) error {
	return action.Fail(action.CodeExists, at+"/id", "an object with this id exists")
}

func errMissing(at string) error {
	return action.Fail(action.CodeNotFound, at+"/id", "no object has this id")
}

func (r *Replica) errLocked(at string, object action.UUID) error {
	e := action.Fail(action.CodeLocked, at+"/id", "another client holds this object's lock")
	e.Holder, _ = r.state.Lock(object)
	return e
}

// check refuses what can be seen to be wrong: it is told at the call, and nothing changes.
func (r *Replica) check(a *action.Action) error {
	if len(a.Ops) > 1 {
		return nil // ops build on one another
	}
	op := &a.Ops[0]
	o := r.state.Object(op.Object)
	switch {
	case op.Kind == action.Create && o.Exists():
		return errExists("")
	case op.Kind != action.Create && !o.Exists():
		return errMissing("")
	case op.Kind != action.Create && o.HeldFrom(r.log.Client):
		return r.errLocked("", op.Object)
	case op.Kind == action.Update:
		for i := range op.Changes {
			old, _ := o.Value(op.Changes[i].Key)
			if _, reason := state.Merge(&op.Changes[i], old); reason != state.ReasonNone {
				return queue.RefusedKey("/"+action.EscapePointer(op.Changes[i].Key), reason)
			}
		}
	}
	return nil
}
