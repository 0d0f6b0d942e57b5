// Package clients is the table that a log leads to beside its objects: what is known of each client that has written. A row is dropped
// a million entries after the last one, so that the table does not grow for ever.
package clients

import (
	"iter"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
)

// Horizon is how many entries a client's row outlives its last one.
const Horizon = 1_000_000

// Row is what the log says of a client: its last entry that counted. An action that another profile than its
// maker's has sent has one, too, as the only one of a client that nobody is.
type Row struct {
	Client action.UUID
	Seq    uint64
	Index  uint64
	Action action.UUID
}

// Table keeps the rows, linked in the order of their index so that old ones are found without a search.
type Table struct {
	byID       map[action.UUID]int32
	rows       []node
	free       []int32
	head, tail int32 // oldest and newest, -1 for none
}

type node struct {
	Row
	prev, next int32
}

// New is an empty table.
func New() Table {
	return Table{byID: map[action.UUID]int32{}, head: -1, tail: -1}
}

// Get is a client's row, where there is one.
func (t *Table) Get(client action.UUID) (Row, bool) {
	if i, ok := t.byID[client]; ok {
		return t.rows[i].Row, true
	}
	return Row{}, false
}

// Put writes a row; its place follows its index.
func (t *Table) Put(row Row) {
	i, ok := t.byID[row.Client]
	if ok {
		t.unlink(i)
	} else if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.rows))
		t.rows = append(t.rows, node{})
	}
	t.byID[row.Client] = i
	after := t.tail
	for after >= 0 && t.rows[after].Index > row.Index {
		after = t.rows[after].prev
	}
	n := node{Row: row, prev: after, next: t.head}
	if after >= 0 {
		n.next = t.rows[after].next
		t.rows[after].next = i
	} else {
		t.head = i
	}
	if n.next >= 0 {
		t.rows[n.next].prev = i
	} else {
		t.tail = i
	}
	t.rows[i] = n
}

// Remove drops a row.
func (t *Table) Remove(client action.UUID) {
	if i, ok := t.byID[client]; ok {
		t.unlink(i)
		delete(t.byID, client)
		t.free = append(t.free, i)
	}
}

func (t *Table) unlink(i int32) {
	n := t.rows[i]
	if n.prev >= 0 {
		t.rows[n.prev].next = n.next
	} else {
		t.head = n.next
	}
	if n.next >= 0 {
		t.rows[n.next].prev = n.prev
	} else {
		t.tail = n.prev
	}
}

// Expire drops the rows whose index is over the horizon when entry index is applied, and returns them.
func (t *Table) Expire(index uint64, keep bool) (dropped []Row) {
	for t.head >= 0 && t.rows[t.head].Index+Horizon <= index {
		if keep {
			dropped = append(dropped, t.rows[t.head].Row)
		}
		t.Remove(t.rows[t.head].Client)
	}
	return dropped
}

// Sorted lists the rows by client id.
func (t *Table) Sorted() []Row {
	rows := make([]Row, 0, len(t.byID))
	for _, i := range t.byID {
		rows = append(rows, t.rows[i].Row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.Client.Compare(b.Client) })
	return rows
}

// Fill takes the rows of an empty table, in any order.
func (t *Table) Fill(rows []Row) {
	action.SortBy(len(rows), func(i, j int) bool { return rows[i].Index < rows[j].Index },
		func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, row := range rows {
		t.Put(row)
	}
}

// Len is how many rows there are.
func (t *Table) Len() int { return len(t.byID) }

// All are the rows, the one with the lowest index first.
func (t *Table) All() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for i := t.head; i >= 0; i = t.rows[i].next {
			if !yield(t.rows[i].Row) {
				return
			}
		}
	}
}
