package replica

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// local is an action made by this client that is not in the log yet.
type local struct {
	action.Action
	Ticket  uint64 // the caller's name for it; 0 where it was read from the local log
	undo    state.Undo
	retries action.UUID // the refused action whose place it takes when it is committed
	bases   []seen
}

// seqRoom stands for the seq until a record gives one: the action's text is sorted, so that seq comes last and can
// be written in place.
const seqRoom = "999999999999999"

// newLocal makes the action's canonical bytes, but for its seq, and decodes them.
func newLocal(d *Draft, client action.UUID, base uint64, sl *action.Slab) (*local, error) {
	ops, err := action.Canonical(d.Ops, action.MaxDepth-1)
	if err != nil {
		return nil, action.Under("ops", err)
	}
	b := make([]byte, 0, 200+len(ops)+len(d.Guards)+len(d.Meta))
	b = append(b, `{"at":"`...)
	b = action.AppendStamp(b, d.At)
	if d.Atomic {
		b = append(b, `","atomic":true,"base":`...)
	} else {
		b = append(b, `","base":`...)
	}
	b = strconv.AppendUint(b, base, 10)
	b = append(b, `,"client":"`...)
	b = client.Append(b)
	b = append(b, `","id":"`...)
	b = append(d.ID.Append(b), '"')
	if d.Guards != "" {
		b = append(append(b, `,"if":`...), d.Guards...)
	}
	if d.Meta != "" {
		b = append(append(b, `,"meta":`...), d.Meta...)
	}
	b = append(append(b, `,"ops":`...), ops...)
	b = append(b, `,"seq":`+seqRoom+`}`...)
	l := new(local)
	if err := action.DecodeInto(&l.Action, action.View(b), sl); err != nil {
		return nil, err
	}
	if len(l.Raw) > action.MaxActionBytes {
		return nil, action.Fail(action.CodeTooLarge, "", "an action has at most 256 KiB")
	}
	for i := range l.Ops {
		if l.Ops[i].Kind == action.Unlock {
			return nil, action.Fail(action.CodeInvalid, "/ops/"+strconv.Itoa(i), "only the server unlocks")
		}
	}
	l.Seq = 0
	return l, nil
}

// number gives the action its seq, in place. Nothing may hold Raw's end before the action is committed.
func (l *local) number(seq uint64) {
	whole := len(l.Raw)
	if l.Seq != 0 {
		whole += len(seqRoom) - digits(l.Seq)
	}
	buf := unsafe.Slice(unsafe.StringData(l.Raw), whole) // made by newLocal or Canonical: on the heap, and ours
	at := whole - len(seqRoom) - 1
	l.Raw = action.View(append(strconv.AppendUint(buf[:at], seq, 10), '}'))
	l.Seq = seq
}

func digits(n uint64) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}

// under is the same action under another client id, not numbered yet.
func (l *local) under(client action.UUID) *local {
	const member = `"client":"`
	from := strings.Index(l.Raw, member) + len(member) // only our own time and base stand before it
	end := strings.LastIndexByte(l.Raw, ':') + 1       // seq is the last member
	b := make([]byte, 0, len(l.Raw)+len(seqRoom))
	b = append(b, l.Raw[:from]...)
	b = client.Append(b)
	b = append(b, l.Raw[from+36:end]...)
	b = append(b, seqRoom+"}"...)
	m := &local{Ticket: l.Ticket, retries: l.retries, bases: l.bases}
	if err := action.DecodeInto(&m.Action, action.View(b), nil); err != nil {
		panic(err) // it was decoded before, and nothing but an id is another
	}
	m.Seq = 0
	return m
}

func (l *local) names(object action.UUID) bool {
	for i := range l.Ops {
		if l.Ops[i].Object == object {
			return true
		}
	}
	return false
}

func (l *local) namesAny(objects map[action.UUID]bool) bool {
	for i := range l.Ops {
		if objects[l.Ops[i].Object] {
			return true
		}
	}
	for i := range l.Guards {
		if objects[l.Guards[i].Object] {
			return true
		}
	}
	return false
}

func (l *local) base(object action.UUID, key string) (string, bool) {
	for i := range l.bases {
		if b := &l.bases[i]; b.object == object && b.key == key {
			return b.value, true
		}
	}
	return "", false
}

// seen is a value that a pending action was made upon, kept when another client's entry replaces it.
type seen struct {
	object action.UUID
	key    string
	value  string
}

// refusedAs is the action on the list of what was refused.
func (l *local) refusedAs(code, message string, at int64) Rejected {
	return Rejected{Rejection: action.Rejection{ID: l.ID, Code: code, Message: message}, At: at, Action: l.Action, Ticket: l.Ticket}
}
