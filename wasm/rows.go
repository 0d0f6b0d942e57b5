//go:build js && wasm

package main

//lint:file-ignore U1000 the exports are called by the script

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/rows"
)

// pieceBytes is how much is handed out at once: what a page reads in some milliseconds.
const pieceBytes = 128 << 10

// strandline_changes gives the next piece of what is new: {"rows": […], "gone": [ids]}. The header says whether more follows (2), and
// whether it is the first piece of all rows (3). Until none follows, what was given is of no state in particular.
//
//go:wasmexport strandline_changes
func exportChanges(h int32) int32 {
	return call(h, func(s *stream) int32 {
		return givePiece(&s.news, s)
	})
}

func givePiece(news *rows.News, s *stream) int32 {
	piece, whole, more := news.Piece(output[:0], s.State(), pieceBytes)
	header[2], header[3] = flag(more), flag(whole)
	give(piece)
	return statusOK
}

// strandline_known tells whether the rows as they are at a record are what is shown now; then all that follows is new, else all there is.
//
//go:wasmexport strandline_known
func exportKnown(h int32, lsn float64) int32 {
	return call(h, func(s *stream) int32 {
		if float64(s.NextLSN()) != lsn+1 || s.Uncommits() {
			s.news = rows.News{}
			return statusAbsent
		}
		s.news.Known()
		return statusOK
	})
}

// strandline_proof gives the next piece of all rows as strandline_changes does, as they are by then, from the beginning where begin is 1.
// It leaves alone what is new.
//
//go:wasmexport strandline_proof
func exportProof(h, begin int32) int32 {
	return call(h, func(s *stream) int32 {
		if begin == 1 {
			s.proof = rows.News{}
		}
		return givePiece(&s.proof, s)
	})
}

func flag(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}

// strandline_row gives the row of the object whose id is the first 36 bytes of the input, and in the header (2) how many there are.
//
//go:wasmexport strandline_row
func exportRow(h int32) int32 {
	return call(h, func(s *stream) int32 {
		id, ok := action.ParseUUID(input[:36])
		header[2] = uint32(s.State().Len())
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
