package own

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// Marks are places of the log where this device has been, oldest first, at most protocol.MaxMarks of them: many of late, few of long ago.
type Marks struct{ list []protocol.Mark }

// All lists them.
func (m *Marks) All() []protocol.Mark { return m.list }

// Put adds a place behind all others. Where there are too many, that one goes which is missed least: whose neighbours are closest to
// each other, measured by how far they lie behind the last one.
func (m *Marks) Put(index uint64, chain action.Chain) {
	if n := len(m.list); n > 0 && m.list[n-1].Index >= index {
		return
	}
	m.list = append(m.list, protocol.Mark{Index: index, Chain: chain})
	if len(m.list) <= protocol.MaxMarks {
		return
	}
	drop, least := 0, 0.0
	for i := 1; i < len(m.list)-1; i++ {
		gap := float64(m.list[i+1].Index-m.list[i-1].Index) / float64(1+index-m.list[i-1].Index)
		if drop == 0 || gap < least {
			drop, least = i, gap
		}
	}
	m.list = append(m.list[:drop], m.list[drop+1:]...)
}

// Clone is marks of their own.
func (m *Marks) Clone() Marks { return Marks{append([]protocol.Mark(nil), m.list...)} }

// Until is those up to an index.
func (m *Marks) Until(index uint64) (out Marks) {
	for _, k := range m.list {
		if k.Index <= index {
			out.list = append(out.list, k)
		}
	}
	return out
}

// Write writes them.
func (m *Marks) Write(e *action.Encoder) {
	e.Uint(uint64(len(m.list)))
	for _, k := range m.list {
		e.Uint(k.Index)
		e.Chain(k.Chain)
	}
}

// Read reads what Write has written.
func (m *Marks) Read(d *action.Decoder) {
	m.list = make([]protocol.Mark, d.Count(9))
	for i := range m.list {
		m.list[i] = protocol.Mark{Index: d.Uint(), Chain: d.Chain()}
	}
}
