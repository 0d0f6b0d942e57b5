package state

// Slot is where an object lives in memory. Slots are reused.
type Slot uint32

// objectTable holds objects by slot, in blocks: it grows without moving what it holds, which at 100,000 objects is a
// pause that people see. The first block alone begins small, and doubles: most streams are.
type objectTable struct {
	blocks [][]object
	n      Slot
}

const (
	tableBlock = 512
	firstBlock = 8
)

// at points to an object until the next one is added.
func (t *objectTable) at(slot Slot) *object { return &t.blocks[slot/tableBlock][slot%tableBlock] }

// add puts an object into a new slot.
func (t *objectTable) add(o *object) Slot {
	switch {
	case t.n == 0:
		t.blocks = [][]object{make([]object, firstBlock)}
	case t.n < tableBlock && int(t.n) == len(t.blocks[0]):
		grown := make([]object, 2*t.n)
		copy(grown, t.blocks[0])
		t.blocks[0] = grown
	case t.n%tableBlock == 0:
		t.blocks = append(t.blocks, make([]object, tableBlock))
	}
	t.n++
	*t.at(t.n - 1) = *o
	return t.n - 1
}
