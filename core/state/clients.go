package state

import (
	"iter"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
)

// ClientHorizon is how many entries a client's row outlives its last one.
const ClientHorizon = 1_000_000

// ClientRow is what the log says of a client: its last entry that counted.
type ClientRow struct {
	Client action.UUID
	Seq    uint64
	Index  uint64
	Action action.UUID
}

// clientTable keeps the rows, linked in the order of their index so that old ones are found without a search.
type clientTable struct {
	byID       map[action.UUID]int32
	rows       []clientNode
	free       []int32
	head, tail int32 // oldest and newest, -1 for none
}

type clientNode struct {
	ClientRow
	prev, next int32
}

func newClientTable() clientTable {
	return clientTable{byID: map[action.UUID]int32{}, head: -1, tail: -1}
}

func (t *clientTable) get(client action.UUID) (ClientRow, bool) {
	if i, ok := t.byID[client]; ok {
		return t.rows[i].ClientRow, true
	}
	return ClientRow{}, false
}

// put writes a row; its place follows its index.
func (t *clientTable) put(row ClientRow) {
	i, ok := t.byID[row.Client]
	if ok {
		t.unlink(i)
	} else if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.rows))
		t.rows = append(t.rows, clientNode{})
	}
	t.byID[row.Client] = i
	after := t.tail
	for after >= 0 && t.rows[after].Index > row.Index {
		after = t.rows[after].prev
	}
	node := clientNode{ClientRow: row, prev: after, next: t.head}
	if after >= 0 {
		node.next = t.rows[after].next
		t.rows[after].next = i
	} else {
		t.head = i
	}
	if node.next >= 0 {
		t.rows[node.next].prev = i
	} else {
		t.tail = i
	}
	t.rows[i] = node
}

func (t *clientTable) remove(client action.UUID) {
	if i, ok := t.byID[client]; ok {
		t.unlink(i)
		delete(t.byID, client)
		t.free = append(t.free, i)
	}
}

func (t *clientTable) unlink(i int32) {
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

// expire drops the rows whose index is over the horizon when entry index is applied, and returns them.
func (t *clientTable) expire(index uint64, keep bool) (dropped []ClientRow) {
	for t.head >= 0 && t.rows[t.head].Index+ClientHorizon <= index {
		if keep {
			dropped = append(dropped, t.rows[t.head].ClientRow)
		}
		t.remove(t.rows[t.head].Client)
	}
	return dropped
}

// sorted lists the rows by client id.
func (t *clientTable) sorted() []ClientRow {
	rows := make([]ClientRow, 0, len(t.byID))
	for _, i := range t.byID {
		rows = append(rows, t.rows[i].ClientRow)
	}
	slices.SortFunc(rows, func(a, b ClientRow) int { return a.Client.Compare(b.Client) })
	return rows
}

// fill takes the rows of an empty table, in any order.
func (t *clientTable) fill(rows []ClientRow) {
	action.SortBy(len(rows), func(i, j int) bool { return rows[i].Index < rows[j].Index },
		func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, row := range rows {
		t.put(row)
	}
}

// Client is what the log says of a client, where it says anything.
func (s *State) Client(id action.UUID) (row ClientRow, known bool) { return s.clients.get(id) }

// ClientCount is of how many clients it says anything.
func (s *State) ClientCount() int { return len(s.clients.byID) }

// Clients are the rows, the one with the lowest index first.
func (s *State) Clients() iter.Seq[ClientRow] {
	return func(yield func(ClientRow) bool) {
		for i := s.clients.head; i >= 0; i = s.clients.rows[i].next {
			if !yield(s.clients.rows[i].ClientRow) {
				return
			}
		}
	}
}

// PutClient writes a row.
func (s *State) PutClient(row ClientRow) { s.clients.put(row) }
