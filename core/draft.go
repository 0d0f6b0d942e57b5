package core

import (
	"strconv"
	"unsafe"
)

// Draft is what an app asks for: an action before it has an author and a place.
type Draft struct {
	ID     UUID
	At     int64  // Unix milliseconds
	Ops    string // JSON array of ops
	Guards string // JSON array, or empty
	Atomic bool
	Meta   string // JSON, or empty

	retries UUID // the refused action that it takes the place of
}

// local is an action made by this client that is not in the log yet.
type local struct {
	Action
	ticket  uint64 // the caller's name for it; 0 where it was read from the local log
	undo    Undo
	retries UUID // the refused action whose place it takes when it is committed
	bases   []seen
}

// seqRoom stands for the seq until a record gives one: the action's text is sorted, so that seq comes last and can
// be written in place.
const seqRoom = "999999999999999"

// newLocal makes the action's canonical bytes, but for its seq, and decodes them.
func newLocal(d *Draft, client UUID, base uint64, sl *slab) (*local, error) {
	ops, err := Canonical(d.Ops, MaxDepth-1)
	if err != nil {
		return nil, under("ops", err)
	}
	b := make([]byte, 0, 200+len(ops)+len(d.Guards)+len(d.Meta))
	b = append(b, `{"at":"`...)
	b = appendStamp(b, d.At)
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
	if err := decodeAction(&l.Action, view(b), sl); err != nil {
		return nil, err
	}
	if len(l.Raw) > MaxActionBytes {
		return nil, fail(CodeTooLarge, "", "an action has at most 256 KiB")
	}
	for i := range l.Ops {
		if l.Ops[i].Kind == Unlock {
			return nil, fail(CodeInvalid, "/ops/"+strconv.Itoa(i), "only the server unlocks")
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
	l.Raw = view(append(strconv.AppendUint(buf[:at], seq, 10), '}'))
	l.Seq = seq
}

func digits(n uint64) int {
	d := 1
	for ; n >= 10; n /= 10 {
		d++
	}
	return d
}
