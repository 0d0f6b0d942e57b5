//go:build js && wasm

package main

//lint:file-ignore U1000 the exports are called by the script

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// shown is what the script has not fetched yet of a stream's rows: which are others, or all of them. Nobody who does not read pays for rows.
type shown struct {
	known bool       // the script has begun with all rows
	from  state.Slot // where all of them go on; 0 when they are through
	began bool       // they have
	ids   []action.UUID
	has   map[action.UUID]bool
}

// add takes note of objects that have another row, or none.
func (n *shown) add(ids []action.UUID) {
	if !n.known {
		return
	}
	for _, id := range ids {
		if !n.has[id] {
			if n.has == nil {
				n.has = map[action.UUID]bool{}
			}
			n.has[id] = true
			n.ids = append(n.ids, id)
		}
	}
}

func (n *shown) differs(d *replica.Difference) {
	if d.All {
		*n = shown{}
	}
	n.add(d.Shown)
}

// pieceBytes is how much is handed out at once: what a page reads in some milliseconds.
const pieceBytes = 128 << 10

// strandline_changes gives the next piece of what is new: {"rows": […], "gone": [ids]}. The header says whether more follows (2), and
// whether it is the first piece of all rows (3). Until none follows, what was given is of no state in particular.
//
//go:wasmexport strandline_changes
func exportChanges(h int32) int32 {
	return call(h, func(s *stream) int32 {
		n := &s.shown
		header[3] = 0
		b := append(output[:0], `{"rows":[`...)
		if !n.known {
			n.known = true
			n.began, header[3] = true, 1
		}
		if n.began {
			b, n.from = s.State().AppendRows(b, n.from, pieceBytes)
			n.began = n.from > 0
		}
		gone := []byte(nil)
		took, sep := 0, len(b) > len(`{"rows":[`)
		for ; !n.began && took < len(n.ids) && len(b)+len(gone) < pieceBytes; took++ {
			id := n.ids[took]
			delete(n.has, id)
			if !s.State().Exists(id) {
				if len(gone) > 0 {
					gone = append(gone, ',')
				}
				gone = append(id.Append(append(gone, '"')), '"')
				continue
			}
			if sep {
				b = append(b, ',')
			}
			b, sep = s.State().AppendRow(b, id), true
		}
		if n.ids = n.ids[took:]; len(n.ids) == 0 {
			n.ids = nil
		}
		header[2] = 0
		if n.began || len(n.ids) > 0 {
			header[2] = 1
		}
		b = append(append(append(b, `],"gone":[`...), gone...), "]}"...)
		give(b)
		return statusOK
	})
}

// strandline_row gives the row of the object whose id is the first 36 bytes of the input.
//
//go:wasmexport strandline_row
func exportRow(h int32) int32 {
	return call(h, func(s *stream) int32 {
		id, ok := action.ParseUUID(input[:36])
		if !ok || !s.State().Exists(id) {
			return statusAbsent
		}
		give(s.State().AppendRow(output[:0], id))
		return statusOK
	})
}

// strandline_pending_ids gives the ids of the objects that pending actions name, 36 characters each.
//
//go:wasmexport strandline_pending_ids
func exportPendingIDs(h int32) int32 {
	return call(h, func(s *stream) int32 {
		b := output[:0]
		for id := range s.PendingObjects() {
			b = id.Append(b)
		}
		give(b)
		return statusOK
	})
}
