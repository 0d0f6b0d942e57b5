package queue

import (
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Local is an action made by this client that is not in the log yet.
type Local struct {
	action.Action
	Ticket  uint64 // the caller's name for it; 0 where it was read from the local log
	Undo    state.Undo
	Plain   bool        // when it was applied last, all of it stood, and replaced nothing that its author had not seen
	Retries action.UUID // the refused action whose place it takes when it is committed
	Bases   []Seen
	First   uint64 // the first seq that it had under its client id, where it was numbered anew; else 0
	order   uint64 // rises along the queue
	queued  bool
}

// seqRoom stands for the seq until a record gives one: the action's text is sorted, so that seq comes last and can
// be written in place.
const seqRoom = "999999999999999"

const tail = `,"seq":` + seqRoom + `}`

const stampForm = "2006-01-02T15:04:05.000Z"

// Make makes the action's canonical bytes, but for its seq, and decodes them.
func Make(d *Draft, client action.UUID, head uint64, sl *action.Slab) (*Local, error) {
	base := head
	if d.Upon > 0 {
		base = min(head, d.Upon-1)
	}
	b := make([]byte, 0, 240+len(d.Ops)+len(d.Guards)+len(d.Meta))
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
	b = append(b, `,"ops":`...)
	from := len(b)
	b = append(b, d.Ops...)
	l := new(Local)
	// Ops in canonical form are read once, where they lie; all else that is in the action is our own.
	if plain := d.Guards == "" && d.Meta == ""; plain && action.DecodeOps(&l.Action, action.View(b), from, sl) {
		b = append(b, tail...)
		l.Raw, l.At = action.View(b), action.View(b[len(`{"at":"`):][:len(stampForm)])
		l.Atomic, l.Action.Base, l.Client, l.ID = d.Atomic, base, client, d.ID
	} else {
		ops, err := action.Canonical(d.Ops, action.MaxDepth-1)
		if err != nil {
			return nil, action.Under("ops", err)
		}
		b = append(append(b[:from], ops...), tail...)
		*l = Local{}
		if err := action.DecodeInto(&l.Action, action.View(b), sl); err != nil {
			return nil, err
		}
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

// Number gives the action its seq, in place. Nothing may hold Raw's end before the action is committed.
func (l *Local) Number(seq uint64) {
	whole := len(l.Raw)
	if l.Seq != 0 {
		whole += len(seqRoom) - digits(l.Seq)
	}
	buf := unsafe.Slice(unsafe.StringData(l.Raw), whole) // made by Make or Canonical: on the heap, and ours
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

// Under is the same action under another client id, not numbered yet.
func (l *Local) Under(client action.UUID) *Local { return l.Remade(client, l.Action.Base) }

// Remade is the same action under another client id, made upon at most that base, not numbered yet.
func (l *Local) Remade(client action.UUID, base uint64) *Local {
	return l.RemadeFor(client, base, action.Maker{})
}

// RemadeFor is Remade, and says who has made it, where it does not say so itself.
func (l *Local) RemadeFor(client action.UUID, base uint64, maker action.Maker) *Local {
	const member, before = `"client":"`, `"base":`
	at := strings.Index(l.Raw, before) + len(before) // only our own time stands before it, and whether it is atomic
	from := strings.Index(l.Raw, member) + len(member)
	end := strings.LastIndexByte(l.Raw, ':') + 1 // seq is the last member
	b := make([]byte, 0, len(l.Raw)+len(seqRoom))
	b = append(b, l.Raw[:at]...)
	b = strconv.AppendUint(b, min(base, l.Action.Base), 10)
	b = append(b, ',')
	b = append(b, member...)
	b = client.Append(b)
	from += 36
	if maker.Seq > 0 && l.For.Seq == 0 {
		b = maker.Append(append(b, `","for":`...))
		from++ // the quotation mark
	}
	b = append(b, l.Raw[from:end]...)
	b = append(b, seqRoom+"}"...)
	m := &Local{Ticket: l.Ticket, Retries: l.Retries, Bases: l.Bases}
	if err := action.DecodeInto(&m.Action, action.View(b), nil); err != nil {
		panic(err) // it was decoded before, and nothing but an id is another
	}
	m.Seq = 0
	return m
}

// Names tells whether one of its ops is about an object.
func (l *Local) Names(object action.UUID) bool {
	for i := range l.Ops {
		if l.Ops[i].Object == object {
			return true
		}
	}
	return false
}

// Base is the value that a key had when the action was made, where that is known.
func (l *Local) Base(object action.UUID, key string) (string, bool) {
	for i := range l.Bases {
		if b := &l.Bases[i]; b.Object == object && b.Key == key {
			return b.Value, true
		}
	}
	return "", false
}

// Seen is a value that a pending action was made upon, kept when another client's entry replaces it.
type Seen struct {
	Object action.UUID
	Key    string
	Value  string
}

// MakerOf is who has made an action, where that is another profile than that of these client ids.
func MakerOf(a *action.Action, client action.UUID, former []action.UUID) action.Maker {
	switch {
	case a.For.Seq > 0:
		return a.For
	case a.Client == client || slices.Contains(former, a.Client): // or a copy of this one, whose seq may be another's here
		return action.Maker{}
	}
	return action.Maker{Client: a.Client, Seq: a.Seq}
}
