package rows

import (
	"math"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

// What is shown at a record is stored beside it, for a page that has no program yet. It is one JSON object:
//
//	head, unsent, refused    numbers, as of the record
//	rows, gone               objects that no pending action names: as rows, or the ids of those that are not there
//	ownRows, ownGone         objects that pending actions name
//	done                     the ids of those that none names any more, and that look the same
//	client, conflictFree     of the local log; at record 0, where the client is another, and beside a checkpoint
//	pages                    beside a checkpoint: the names of its pages
//
// Beside a checkpoint stand the objects that pending actions name, and all others in its pages. At record 0 there are none. Else it is
// what has changed since the record before.

// Most is how many bytes may be shown at a record of so many: a key that is changed is stored with all of its object.
func Most(record int) int { return 4<<10 + 4*record }

// AtFounding is shown at record 0.
func AtFounding(client action.UUID, conflictFree bool) string {
	return string(append(appendFounded([]byte(`{"head":0,"unsent":0,"refused":0`), client, conflictFree), '}'))
}

// AtCommit is shown at the record that the replica has built last, of its first n uncommitted actions and so many bytes; empty where
// that would be too much.
func AtCommit(r *replica.Replica, n, bytes int, p *pace.Pace) string {
	c := asCommitted(r, true, n)
	w := newWriter(c, Most(bytes), p)
	w.named(c.Uncommitted[:n])
	return w.finish()
}

// AtTurn is shown at the record of so many bytes that has landed so; empty where that would be too much.
func AtTurn(r *replica.Replica, land *replica.Landing, was action.UUID, bytes int, p *pace.Pace) string {
	c := asCommitted(r, false, 0)
	w := newWriter(c, Most(bytes), p)
	for _, ids := range [...][]action.UUID{land.Shown, land.Hidden} { // what was hidden may look the same, and be another
		for _, id := range ids {
			w.add(id)
		}
	}
	for _, id := range land.Left {
		w.left(id)
	}
	if client, _ := r.Founded(); client != was {
		w.founded(r)
	}
	return w.finish()
}

// AtCheckpoint is shown beside a checkpoint of the replica as it is committed.
func AtCheckpoint(r *replica.Replica, p *pace.Pace) string {
	c := asCommitted(r, false, 0)
	w := newWriter(c, math.MaxInt, p)
	w.named(c.Pending)
	w.founded(r)
	return w.finish()
}

// writer gathers objects by what is to be told of them.
type writer struct {
	of   *committed
	seen map[action.UUID]bool
	out  [5][]byte // of lists
	size int
	most int
	more []byte
	row  []byte
	pace *pace.Pace
}

var lists = [...]string{"rows", "gone", "ownRows", "ownGone", "done"}

func newWriter(c *committed, most int, p *pace.Pace) *writer {
	return &writer{of: c, seen: map[action.UUID]bool{}, most: most, pace: p}
}

// named adds what actions name.
func (w *writer) named(list []*queue.Local) {
	for _, l := range list {
		for i := range l.Ops {
			w.add(l.Ops[i].Object)
		}
	}
}

func (w *writer) add(id action.UUID) {
	if w.seen[id] || w.size > w.most {
		return
	}
	w.seen[id] = true
	list := 0
	if w.of.Waits(id, w.of.n) {
		list = 2
	}
	if w.row = w.of.Images.AppendRow(w.row[:0], id); len(w.row) == 0 {
		list++
		w.row = append(id.Append(append(w.row, '"')), '"')
	}
	w.out[list] = append(append(w.out[list], w.row...), ',')
	w.size += len(w.row) + 1
	w.pace.Took(pace.Look + pace.KiB*len(w.row)>>10)
}

// left adds an object that looks the same, and that an action has named which is not there any more. It costs less than that action did,
// and is not weighed.
func (w *writer) left(id action.UUID) {
	if !w.seen[id] && !w.of.Waits(id, 0) {
		w.out[4] = append(id.Append(append(w.out[4], '"')), '"', ',')
	}
	w.seen[id] = true
}

func (w *writer) founded(r *replica.Replica) {
	client, conflictFree := r.Founded()
	w.more = appendFounded(w.more, client, conflictFree)
}

func appendFounded(dst []byte, client action.UUID, conflictFree bool) []byte {
	dst = append(client.Append(append(dst, `,"client":"`...)), '"')
	return strconv.AppendBool(append(dst, `,"conflictFree":`...), conflictFree)
}

func (w *writer) finish() string {
	if w.size > w.most {
		return ""
	}
	b := make([]byte, 0, w.size+len(w.out[4])+192)
	b = strconv.AppendUint(append(b, `{"head":`...), w.of.State().Head, 10)
	b = strconv.AppendInt(append(b, `,"unsent":`...), int64(len(w.of.Pending)+w.of.n), 10)
	b = strconv.AppendInt(append(b, `,"refused":`...), int64(w.of.refused), 10)
	b = append(b, w.more...)
	for i, list := range w.out {
		if len(list) > 0 {
			b = append(append(append(b, `,"`...), lists[i]...), `":[`...)
			b = append(append(b, list[:len(list)-1]...), ']')
		}
	}
	return action.View(append(b, '}'))
}
