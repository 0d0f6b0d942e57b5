package state

import (
	"slices"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

// CheckpointFormat is the format of the checkpoints that servers give to clients. Readers refuse others.
const CheckpointFormat = "1"

// AppendCheckpoint writes the state in its one canonical encoding: JSON lines of a header, the clients by id and the
// objects by id. Equal logs of one epoch give equal bytes. s holds no pending actions.
func (s *State) AppendCheckpoint(dst []byte, stream string) []byte {
	dst, _ = s.CheckpointInParts(dst, stream, nil)
	return dst
}

// CheckpointInParts is AppendCheckpoint that calls between after each few objects, where it is given: others may have the
// processor then. An error of it ends the text.
func (s *State) CheckpointInParts(dst []byte, stream string, between func() error) ([]byte, error) {
	slots, clients := s.sortedSlots(), s.clients.Sorted()
	room := 200 + 128*len(clients)
	for _, slot := range slots { // about: to grow on the way would copy all that is there
		o := s.objects.at(slot)
		room += 300 + o.bytes + 110*len(o.fields)
	}
	dst = slices.Grow(dst, room)
	dst = append(dst, `{"chain":"`...)
	dst = s.Chain.Append(dst)
	dst = append(dst, `","epoch":"`...)
	dst = s.Epoch.Append(dst)
	dst = append(dst, `","format":`+CheckpointFormat+`,"head":`...)
	dst = strconv.AppendUint(dst, s.Head, 10)
	dst = append(dst, `,"stream":`...)
	dst = append(action.AppendString(dst, stream), "}\n"...)
	for _, row := range clients {
		dst = append(dst, `{"client":"`...)
		dst = row.Client.Append(dst)
		dst = append(dst, `","last":[`...)
		dst = strconv.AppendUint(dst, row.Seq, 10)
		dst = append(dst, ',')
		dst = strconv.AppendUint(dst, row.Index, 10)
		dst = append(dst, `,"`...)
		dst = row.Action.Append(dst)
		dst = append(dst, "\"]}\n"...)
	}
	for i, slot := range slots {
		dst = append(s.appendObject(dst, s.objects.at(slot)), '\n')
		if between != nil && i%64 == 63 {
			if err := between(); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

func (s *State) sortedSlots() []Slot {
	slots := make([]Slot, 0, len(s.byID))
	for _, slot := range s.byID {
		slots = append(slots, slot)
	}
	slices.SortFunc(slots, func(a, b Slot) int { return s.objects.at(a).id.Compare(s.objects.at(b).id) })
	return slots
}

func (s *State) appendObject(dst []byte, o *object) []byte {
	dst = append(dst, `{"fields":`...)
	dst = s.appendFields(dst, o)
	if o.locked {
		dst = append(dst, `,"lock":"`...)
		dst = append(o.lock.Append(dst), '"')
	}
	dst = append(dst, `,"object":"`...)
	dst = append(o.id.Append(dst), '"')
	if o.other != nil {
		dst = append(dst, `,"other":`...)
		dst = o.other.append(dst)
	}
	dst = append(dst, `,"touch":`...)
	dst = o.touch.append(dst)
	dst = append(dst, `,"type":`...)
	dst = action.AppendString(dst, s.names[o.typ])
	dst = append(dst, `,"writes":{`...)
	for i := range o.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(action.AppendString(dst, s.names[o.fields[i].key]), ':')
		dst = o.fields[i].write.append(dst)
	}
	return append(dst, "}}"...)
}

// appendFields writes the fields as a canonical object.
func (s *State) appendFields(dst []byte, o *object) []byte {
	dst = append(dst, '{')
	first := true
	for i := range o.fields {
		f := &o.fields[i]
		if f.value == "" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(action.AppendString(dst, s.names[f.key]), ':')
		dst = append(dst, f.value...)
	}
	return append(dst, '}')
}

func (t *Touch) append(dst []byte) []byte {
	dst = append(dst, '[')
	dst = strconv.AppendUint(dst, t.Index, 10)
	dst = append(dst, `,"`...)
	dst = t.Client.Append(dst)
	dst = append(dst, `","`...)
	dst = t.Action.Append(dst)
	return append(dst, `"]`...)
}
