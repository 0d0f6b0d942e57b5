// Package rows hands out what is new of a stream's rows, in pieces, to a table outside: of a page, where all reading happens.
//
// # Invariant
//
// When no piece follows, a table that has taken each of them holds the state as it is shown: a row that changes between two pieces is in
// a later one again.
package rows

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// News is what the table has not been given yet. The zero News is all that there is. Nobody who does not read pays for rows.
type News struct {
	known bool // a piece was given
	ids   []action.UUID
	once  int // so many of them are there once each
}

// few is how many ids may be there more than once: to look for each of them would cost every write.
const few = 4096

// Known says that the table holds the state as it is shown now: there is nothing new.
func (n *News) Known() { *n = News{known: true} }

// Add takes note of objects that have another row, or none.
func (n *News) Add(ids []action.UUID) {
	if !n.known {
		return
	}
	if n.ids = append(n.ids, ids...); len(n.ids) > 2*n.once+few {
		n.unique()
	}
}

// Differs takes note of a change.
func (n *News) Differs(d *replica.Difference) {
	if d.All {
		*n = News{}
	}
	n.Add(d.Shown)
}

// unique leaves each id once.
func (n *News) unique() {
	if len(n.ids) == n.once {
		return
	}
	seen := make(map[action.UUID]bool, len(n.ids))
	kept := n.ids[:0]
	for _, id := range n.ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	n.ids, n.once = kept, len(kept)
}

// Piece writes the next piece, {"rows":[…],"gone":[ids]}, of about most bytes. whole: it is the first one of all rows, and what is in
// none of these pieces is not there. more: another one follows; until the last one, what was given is of no state in particular.
func (n *News) Piece(dst []byte, s *state.State, most int) (piece []byte, whole, more bool) {
	if !n.known { // by ids: an object may come to lie elsewhere meanwhile
		whole, n.known, n.ids = true, true, make([]action.UUID, 0, s.Len())
		for o := range s.Objects() {
			n.ids = append(n.ids, o.ID())
		}
		n.once = len(n.ids)
	}
	n.unique()
	begin := len(dst)
	dst = append(dst, `{"rows":[`...)
	empty := len(dst)
	var gone []byte
	took := 0
	for ; took < len(n.ids) && len(dst)+len(gone) < begin+most; took++ {
		id := n.ids[took]
		if !s.Exists(id) {
			if len(gone) > 0 {
				gone = append(gone, ',')
			}
			gone = append(id.Append(append(gone, '"')), '"')
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = s.AppendRow(dst, id)
	}
	if n.ids = n.ids[took:]; len(n.ids) == 0 {
		n.ids = nil
	}
	n.once = len(n.ids)
	dst = append(append(append(dst, `],"gone":[`...), gone...), "]}"...)
	return dst, whole, len(n.ids) > 0
}
