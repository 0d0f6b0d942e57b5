package queue

import (
	"iter"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
)

// Queue holds actions in the order in which they are applied on top of the log's.
type Queue struct {
	Pending     []*Local
	Uncommitted []*Local

	byID    map[action.UUID]*Local
	objects map[action.UUID]naming
	order   uint64
	left    []action.UUID // named by the ops of what was taken out since Left
}

// naming is who names an object.
type naming struct {
	ops  int      // of actions, that are about it
	one  *Local   // the first action that names it, in an op or a guard
	more []*Local // and those behind it
}

// uncommittedOrder is where the order of uncommitted actions begins: behind all that is ever pending.
const uncommittedOrder = 1 << 62

// New is an empty queue.
func New() *Queue {
	return &Queue{byID: map[action.UUID]*Local{}, objects: map[action.UUID]naming{}}
}

// Len is how many actions there are.
func (q *Queue) Len() int { return len(q.Pending) + len(q.Uncommitted) }

// All lists them in order.
func (q *Queue) All() []*Local { return slices.Concat(q.Pending, q.Uncommitted) }

// Get is the pending action of an id, nil for none.
func (q *Queue) Get(id action.UUID) *Local {
	if l := q.byID[id]; l != nil && l.order < uncommittedOrder {
		return l
	}
	return nil
}

// Find is the action of an id, nil for none.
func (q *Queue) Find(id action.UUID) *Local { return q.byID[id] }

// IsBehind tells whether an action stands behind another one of the queue; one that is not in it, behind all.
func (q *Queue) IsBehind(a, b action.UUID) bool {
	x, y := q.byID[a], q.byID[b]
	return y != nil && (x == nil || x.order > y.order)
}

// Touches tells whether an action names the object in an op.
func (q *Queue) Touches(object action.UUID) bool { return q.objects[object].ops > 0 }

// Waits tells whether a pending action names the object in an op; the first n uncommitted ones count as pending.
func (q *Queue) Waits(object action.UUID, n int) bool {
	limit := uint64(uncommittedOrder)
	if n > 0 {
		limit = q.Uncommitted[n-1].order + 1
	}
	named := q.objects[object]
	if named.one == nil || named.one.Names(object) {
		return named.one != nil && named.one.order < limit
	}
	for _, l := range named.more { // the first one has it in a guard
		if l.Names(object) {
			return l.order < limit
		}
	}
	return false
}

// Objects are those that actions name in their ops, in no order that means anything.
func (q *Queue) Objects() iter.Seq[action.UUID] {
	return func(yield func(action.UUID) bool) {
		for id, n := range q.objects {
			if n.ops > 0 && !yield(id) {
				return
			}
		}
	}
}

// Naming lists the actions that name an object, in ops or guards.
func (q *Queue) Naming(object action.UUID) []*Local {
	n := q.objects[object]
	if n.one == nil {
		return nil
	}
	return append([]*Local{n.one}, n.more...)
}

// Holds tells whether an action is still in the queue.
func (q *Queue) Holds(l *Local) bool { return l.queued }

// Enqueue makes an action the last pending one.
func (q *Queue) Enqueue(l *Local) {
	q.order++
	l.order = q.order
	q.Pending = append(q.Pending, l)
	q.index(l)
}

// Add makes an action the last uncommitted one.
func (q *Queue) Add(l *Local) {
	q.order++
	l.order = uncommittedOrder + q.order
	q.Uncommitted = append(q.Uncommitted, l)
	q.index(l)
}

// Commit makes the first n uncommitted actions pending.
func (q *Queue) Commit(n int) {
	for _, l := range q.Uncommitted[:n] {
		q.order++
		l.order = q.order
	}
	q.Pending = append(q.Pending, q.Uncommitted[:n]...)
	q.Uncommitted = append(q.Uncommitted[:0:0], q.Uncommitted[n:]...)
}

// Remove takes actions out: one by one where they are few, as the queue may be long.
func (q *Queue) Remove(gone map[action.UUID]bool) {
	if len(gone) > few {
		q.Pending, q.Uncommitted = q.without(q.Pending, gone), q.without(q.Uncommitted, gone)
		return
	}
	out := make([]*Local, 0, len(gone))
	for id := range gone {
		if l := q.Find(id); l != nil {
			out = append(out, l)
		}
	}
	action.SortBy(len(out), func(i, j int) bool { return out[i].order < out[j].order }, func(i, j int) { out[i], out[j] = out[j], out[i] })
	for _, l := range out {
		list := &q.Uncommitted
		if l.order < uncommittedOrder {
			list = &q.Pending
		}
		q.forget(l)
		i := behind(*list, l.order) - 1
		*list = slices.Delete(*list, i, i+1)
	}
}

func (q *Queue) without(list []*Local, gone map[action.UUID]bool) []*Local {
	return slices.DeleteFunc(slices.Clone(list), func(l *Local) bool {
		if gone[l.ID] {
			q.forget(l)
		}
		return gone[l.ID]
	})
}

// few is up to how many actions are taken out of a list one by one.
const few = 16

func (q *Queue) forget(l *Local) {
	q.unindex(l)
	if q.byID[l.ID] == l {
		delete(q.byID, l.ID)
	}
}

// RemoveFirst takes the first n pending actions out.
func (q *Queue) RemoveFirst(n int) {
	for _, l := range q.Pending[:n] {
		q.forget(l)
	}
	clear(q.Pending[:n])
	q.Pending = q.Pending[n:]
}

// Replace puts other actions in the place of all, each in its own place: those of a queue that goes on under another client id.
func (q *Queue) Replace(with func(l *Local) *Local) {
	pending, uncommitted := q.Pending, q.Uncommitted
	left := q.left
	*q = *New()
	q.left = left
	for _, l := range pending {
		l.queued = false
		q.Enqueue(with(l))
	}
	for _, l := range uncommitted {
		l.queued = false
		q.Add(with(l))
	}
}

// names calls f for each object that an action names, in ops or guards, some of them several times.
func names(a *action.Action, f func(object action.UUID)) {
	for i := range a.Ops {
		f(a.Ops[i].Object)
	}
	for i := range a.Guards {
		f(a.Guards[i].Object)
	}
}

func (q *Queue) index(l *Local) {
	l.queued = true
	q.byID[l.ID] = l
	for i := range l.Ops {
		q.name(l, l.Ops[i].Object, 1)
	}
	for i := range l.Guards {
		q.name(l, l.Guards[i].Object, 0)
	}
}

// name takes note that an action names an object: a pending one comes before what is uncommitted.
func (q *Queue) name(l *Local, object action.UUID, ops int) {
	n := q.objects[object]
	n.ops += ops
	switch at := behind(n.more, l.order); {
	case n.one == nil:
		n.one = l
	case n.one == l || at > 0 && n.more[at-1] == l: // it names the object twice
	case n.one.order > l.order:
		n.one, n.more = l, append([]*Local{n.one}, n.more...)
	default:
		n.more = append(n.more, l)
		copy(n.more[at+1:], n.more[at:])
		n.more[at] = l
	}
	q.objects[object] = n
}

// Left gives the objects that were named by the ops of what was taken out since it was called last, some of them several times.
func (q *Queue) Left() []action.UUID {
	left := q.left
	q.left = nil
	return left
}

func (q *Queue) unindex(l *Local) {
	l.queued = false
	for i := range l.Ops {
		q.left = append(q.left, l.Ops[i].Object)
		q.unname(l, l.Ops[i].Object, 1)
	}
	for i := range l.Guards {
		q.unname(l, l.Guards[i].Object, 0)
	}
}

func (q *Queue) unname(l *Local, object action.UUID, ops int) {
	n := q.objects[object]
	n.ops -= ops
	i := behind(n.more, l.order)
	switch {
	case n.one == l && len(n.more) == 0:
		n.one = nil
	case n.one == l: // what comes into the log moves nothing
		n.one, n.more = n.more[0], n.more[1:]
	case i > 0 && n.more[i-1] == l: // else it named the object twice
		n.more = append(n.more[:i-1], n.more[i:]...)
	}
	if n.one == nil && n.ops == 0 {
		delete(q.objects, object)
	} else {
		q.objects[object] = n
	}
}

// behind is where in a list the actions begin that come behind an order.
func behind(list []*Local, order uint64) int {
	low, high := 0, len(list)
	for low < high {
		if mid := (low + high) / 2; list[mid].order <= order {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// Check tells what of the queue's invariants does not hold, nil where all do. Tests and the simulator call it.
func (q *Queue) Check() error {
	broken := func(l *Local, what string) error {
		return action.Fail(action.CodeInternal, "/"+l.ID.String(), what)
	}
	named, ops := 0, map[action.UUID]int{}
	var before *Local
	for i, l := range q.All() {
		pending := i < len(q.Pending)
		switch {
		case !l.queued:
			return broken(l, "the queue holds it, and it does not know")
		case before != nil && before.order >= l.order:
			return broken(l, "its order does not rise")
		case q.byID[l.ID] != l:
			return broken(l, "it is not found by its id")
		case pending && i > 0 && l.Seq <= before.Seq:
			return broken(l, "the seqs of the pending do not rise")
		case pending && l.Seq == 0:
			return broken(l, "a pending action has no seq")
		}
		seen := map[action.UUID]bool{}
		names(&l.Action, func(object action.UUID) {
			if !seen[object] {
				seen[object] = true
				named++
			}
		})
		for j := range l.Ops {
			ops[l.Ops[j].Object]++
		}
		before = l
	}
	for object, n := range q.objects {
		if n.one == nil || n.ops != ops[object] {
			return action.Fail(action.CodeInternal, "", "the index of object "+object.String()+" has another number of ops")
		}
		list := q.Naming(object)
		named -= len(list)
		for i, l := range list {
			if !l.queued || i > 0 && list[i-1].order >= l.order {
				return broken(l, "the index of object "+object.String()+" is not in order")
			}
		}
	}
	if named != 0 || len(q.byID) != q.Len() {
		return action.Fail(action.CodeInternal, "", "the index has more, or less, than the queue")
	}
	return nil
}
