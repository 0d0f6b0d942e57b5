package state

// Slot is where an object lives in memory. Slots are reused.
type Slot uint32

// objectTable holds objects by slot, in blocks: it grows without moving what it holds, which at 100,000 objects is a
// pause that people see.
type objectTable struct {
	blocks []*[tableBlock]object
	n      Slot
}

const tableBlock = 512

func (t *objectTable) at(slot Slot) *object { return &t.blocks[slot/tableBlock][slot%tableBlock] }

// add puts an object into a new slot.
func (t *objectTable) add(o *object) Slot {
	if t.n%tableBlock == 0 {
		t.blocks = append(t.blocks, new([tableBlock]object))
	}
	t.n++
	*t.at(t.n - 1) = *o
	return t.n - 1
}
