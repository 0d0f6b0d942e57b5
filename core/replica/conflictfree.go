package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/undo"
)

// In conflict-free mode no write of a client replaces one that it had not seen. Objects that exist may be written only
// while the stream is live, and each write carries the guard that nobody else has touched its object since: whatever
// this context did not know, a late action is discarded and its author told. A new object is its maker's alone, by a
// lock, until all that is pending has been sent: it is free to write without a network.

// Writable tells whether an object may be written now, or why not.
type Writable string

// The answers.
const (
	WritableYes     Writable = "yes"
	WritableOffline Writable = "offline" // conflict-free mode, and the server is out of reach
	WritableLocked  Writable = "locked"  // another client holds it
	WritableMissing Writable = "missing"
)

// Writable tells whether an object may be written now; reached, whether the server was, not long ago.
func (r *Replica) Writable(id action.UUID, reached bool) Writable {
	o := r.state.Object(id)
	switch {
	case !o.Exists():
		return WritableMissing
	case o.HeldFrom(r.log.Client):
		return WritableLocked
	case !r.log.ConflictFree || o.Locked() && !r.drained[id] || reached:
		return WritableYes
	}
	return WritableOffline
}

// ConflictFree tells whether this local log is in conflict-free mode.
func (r *Replica) ConflictFree() bool { return r.log.ConflictFree }

// guarded is a draft as conflict-free mode makes it: its creates take the lock, and what else it names is to be unchanged.
func (r *Replica) guarded(d *queue.Draft, reached bool) (*queue.Draft, error) {
	l, err := queue.Make(d, r.log.Client, r.state.Head, nil)
	if err != nil {
		return nil, err
	}
	made, guarded := map[action.UUID]bool{}, map[action.UUID]bool{}
	for i := range l.Guards {
		if l.Guards[i].Kind == action.GuardUnchanged {
			guarded[l.Guards[i].Object] = true
		}
	}
	ops, guards := []byte{'['}, []byte{'['}
	if d.Guards != "" {
		guards = append(guards, action.MemberOf(l.Raw, "if")...)
		guards = append(guards[:1], guards[2:len(guards)-1]...)
	}
	guard := func(object action.UUID, what string) {
		if len(guards) > 1 {
			guards = append(guards, ',')
		}
		guards = append(append(object.Append(append(guards, `{"object":"`...)), what...), '}')
	}
	again := undo.Target(d.Meta) != action.Nil // the one case of an id that others may make an object of too
	for i := range l.Ops {
		op := &l.Ops[i]
		if op.Kind == action.Create {
			if op.Lock = true; again && !guarded[op.Object] {
				guard(op.Object, `","exists":false`)
			}
			made[op.Object] = true
		} else if !made[op.Object] {
			if r.Writable(op.Object, reached) == WritableOffline {
				at := ""
				if len(l.Ops) > 1 {
					at = "/" + action.Itoa(i)
				}
				return nil, action.Fail(action.CodeReadOnly, at+"/id", "the object can be written only while the server is in reach")
			}
			if !guarded[op.Object] {
				guarded[op.Object] = true
				guard(op.Object, `","unchanged":true`)
			}
		}
		if i > 0 {
			ops = append(ops, ',')
		}
		ops = action.AppendOp(ops, op)
	}
	out := *d
	out.Ops = action.View(append(ops, ']'))
	if len(guards) > 1 {
		out.Guards = action.View(append(guards, ']'))
	}
	return &out, nil
}

// drains tells whether a request that offers n actions offers the last of the queue, so that the server may end this client's locks.
func (r *Replica) drains(n int) bool {
	return r.log.ConflictFree && n == len(r.q.Pending) && (n > 0 || len(r.state.LockedBy(r.log.Client)) > 0)
}

// DrainSent takes note of the objects that a drain may end the locks of: until its outcome is known they are not this client's alone.
func (r *Replica) DrainSent() {
	r.drained = map[action.UUID]bool{}
	for _, id := range r.state.LockedBy(r.log.Client) {
		r.drained[id] = true
	}
	for _, l := range r.q.Uncommitted { // these are not offered yet
		for i := range l.Ops {
			if l.Ops[i].Kind == action.Create {
				delete(r.drained, l.Ops[i].Object)
			}
		}
	}
}

// ForgetDrain takes note that a drain was not looked at: it has ended no lock.
func (r *Replica) ForgetDrain() { r.drained = nil }

// DrainAnswered takes note of an answer: a drain that was not taken whole has ended no lock.
func (r *Replica) DrainAnswered(it *protocol.SyncItem, a *protocol.SyncAnswer) {
	if len(a.Entries) > 0 && it.After+uint64(len(a.Entries)) < a.Head {
		return // what an earlier drain led to may be still to come
	}
	if !it.Drain || a.Left(it) || len(a.Persisted) < len(it.Actions) || len(a.Rejected)+len(a.Entries) > 0 {
		r.ForgetDrain()
	}
}
