package actions

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// cursor is how far a consumer has come in a stream, and where it has been: places that get rarer with age.
type cursor struct {
	Epoch action.UUID
	Index uint64
	Chain action.Chain // at Index; the last mark's
	Marks []protocol.Mark
}

// known tells whether the chain at the cursor is.
func (c *cursor) known() bool { return len(c.Marks) > 0 && c.Marks[len(c.Marks)-1].Index == c.Index }

func (c *cursor) moveTo(index uint64, chain action.Chain, epoch action.UUID) {
	c.Epoch, c.Index, c.Chain = epoch, index, chain
	c.Marks = append(c.Marks, protocol.Mark{Index: index, Chain: chain})
	if len(c.Marks) > protocol.MaxMarks {
		c.thin()
	}
}

// unknown goes to a place whose chain nobody can tell any more.
func (c *cursor) unknown(index uint64, epoch action.UUID) {
	c.Epoch, c.Index, c.Chain = epoch, index, 0
}

func (c *cursor) backTo(index uint64, chain action.Chain, epoch action.UUID) {
	c.Marks = slices.DeleteFunc(c.Marks, func(m protocol.Mark) bool { return m.Index > index })
	c.Epoch, c.Index, c.Chain = epoch, index, chain
}

// thin takes the mark out that is missed least: whose neighbours are closest to one another, seen from here.
func (c *cursor) thin() {
	least, at := 0.0, 1
	for i := 1; i < len(c.Marks)-1; i++ {
		gap := float64(c.Marks[i+1].Index-c.Marks[i-1].Index) / float64(c.Index-c.Marks[i-1].Index+1)
		if i == 1 || gap < least {
			least, at = gap, i
		}
	}
	c.Marks = slices.Delete(c.Marks, at, at+1)
}

// stored is a cursor as it is kept.
type stored struct {
	Epoch string      `json:"epoch"`
	Index uint64      `json:"index"`
	Marks [][2]string `json:"marks"` // index in decimal, chain in hexadecimal
}

func (c *cursor) encode() []byte {
	s := stored{Epoch: c.Epoch.String(), Index: c.Index}
	for _, m := range c.Marks {
		s.Marks = append(s.Marks, [2]string{fmt.Sprint(m.Index), string(m.Chain.Append(nil))})
	}
	b, _ := json.Marshal(s) // of texts and a number: it does not fail
	return b
}

func decodeCursor(b []byte) (*cursor, error) {
	c := new(cursor)
	if b == nil {
		return c, nil
	}
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read a consumer's cursor: %w", err)
	}
	ok := false
	if c.Epoch, ok = action.ParseUUID(s.Epoch); !ok {
		return nil, fmt.Errorf("read a consumer's cursor: %q is no epoch", s.Epoch)
	}
	c.Index = s.Index
	for _, text := range s.Marks {
		var m protocol.Mark
		if _, err := fmt.Sscanf(text[0]+" "+text[1], "%d %x", &m.Index, &m.Chain); err != nil {
			return nil, fmt.Errorf("read a consumer's cursor: %w", err)
		}
		c.Marks = append(c.Marks, m)
	}
	if c.known() {
		c.Chain = c.Marks[len(c.Marks)-1].Chain
	}
	return c, nil
}
