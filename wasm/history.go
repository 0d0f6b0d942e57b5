//go:build js && wasm

package main

//lint:file-ignore U1000 the exports are called by the script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/undo"
)

// Kinds of what is done again, and what is in the input for each.
const (
	againUndo    = 0 // nothing
	againRedo    = 1 // nothing
	againRetry   = 2 // the refused action's id, 36 bytes, and the parts of a patch as a JSON object, or nothing
	againRestore = 3 // the conflict's action and object, 36 bytes each, then its index, its kind and its key, with a space between
	againAdopt   = 4 // the text of an action that another profile has not sent
)

// strandline_again makes a new action of what was: an undo or redo, another try of a refused action, the value that lost in a conflict. The
// output is that of strandline_write, and for an undo or redo what was skipped, as a JSON array.
//
//go:wasmexport strandline_again
func exportAgain(h, kind, n int32, now float64) int32 {
	return call(h, func(s *stream) int32 {
		in := input[:n]
		d := &queue.Draft{}
		var skipped []undo.Skipped
		var err error
		switch kind {
		case againUndo:
			skipped, err = s.Undo(d)
		case againRedo:
			skipped, err = s.Redo(d)
		case againRetry:
			id, _ := action.ParseUUID(in[:min(len(in), 36)])
			err = s.Retry(d, id, string(in[36:]))
		case againAdopt:
			return adopt(s, string(in))
		default:
			err = restore(s, d, in)
		}
		if err != nil {
			return failed(err)
		}
		if d.Ops == "" {
			return statusAbsent // there is nothing to do
		}
		status := write(s, action.Nil, d, now)
		if status == statusOK && kind <= againRedo {
			give(appendSkipped(output, skipped))
		}
		return status
	})
}

// strandline_group has what is written from now on be of a group, whose id is in the input where n is 36; of none, else.
//
//go:wasmexport strandline_group
func exportGroup(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		if s.group = ""; n == 36 {
			if id, ok := action.ParseUUID(input[:36]); ok {
				s.group = undo.GroupMeta(id)
			}
		}
		return statusOK
	})
}

// strandline_undoable tells whether there is something to undo (1), and to redo (2), in the third word of the header.
//
//go:wasmexport strandline_undoable
func exportUndoable(h int32) int32 {
	return call(h, func(s *stream) int32 {
		undo, redo := s.Undoable()
		header[2] = 0
		if undo {
			header[2] = 1
		}
		if redo {
			header[2] |= 2
		}
		return statusOK
	})
}

func restore(s *stream, d *queue.Draft, in []byte) error {
	by, _ := action.ParseUUID(in[:36])
	object, _ := action.ParseUUID(in[36:72])
	number, rest, _ := strings.Cut(string(in[72:]), " ")
	kind, key, _ := strings.Cut(rest, " ")
	index, _ := strconv.ParseUint(number, 10, 64)
	list := s.Conflicts()
	for i := range list {
		c := &list[i]
		if c.Action == by && c.Object == object && c.Index == index && string(c.Kind) == kind && c.Key == key {
			return s.Restore(d, c)
		}
	}
	return errNoConflict
}

var errNoConflict = &action.Error{Code: action.CodeNotFound, Message: "this conflict is not on the list any more"}

func appendSkipped(b []byte, skipped []undo.Skipped) []byte {
	b = append(b, '[')
	for i := range skipped {
		if i > 0 {
			b = append(b, ',')
		}
		b = action.PutText(action.PutID(append(b, '{'), "object", skipped[i].Object), "key", skipped[i].Key)
		b = append(b, '}')
	}
	return append(b, ']')
}

// strandline_rejected gives the refused actions as a JSON array, the newest first.
//
//go:wasmexport strandline_rejected
func exportRejected(h int32) int32 {
	return call(h, func(s *stream) int32 {
		list := s.RejectedList()
		slices.Reverse(list)
		giveList(len(list), func(b []byte, i int) []byte { return list[i].Append(b) })
		return statusOK
	})
}

// giveList gives a JSON array of so many elements.
func giveList(n int, element func(b []byte, i int) []byte) {
	b := append(output[:0], '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(b, i)
	}
	give(append(b, ']'))
}

// strandline_conflicts gives the conflicts as a JSON array, the newest first. A value that is not there is left out.
//
//go:wasmexport strandline_conflicts
func exportConflicts(h int32) int32 {
	return call(h, func(s *stream) int32 {
		list := s.Conflicts()
		giveList(len(list), func(b []byte, i int) []byte { return list[i].Append(b) })
		return statusOK
	})
}

// strandline_resets gives the last rebuilds as a JSON array, the newest first.
//
//go:wasmexport strandline_resets
func exportResets(h int32) int32 {
	return call(h, func(s *stream) int32 {
		list := slices.Clone(s.ResetList()) // that is the replica's
		slices.Reverse(list)
		giveList(len(list), func(b []byte, i int) []byte { return list[i].Append(b) })
		return statusOK
	})
}

// strandline_writable tells whether the object in the input may be written, or why not.
//
//go:wasmexport strandline_writable
func exportWritable(h int32) int32 {
	return call(h, func(s *stream) int32 {
		w := replica.WritableMissing
		if id, ok := action.ParseUUID(input[:36]); ok {
			w = s.Writable(id)
		}
		give(append(output[:0], w...))
		return statusOK
	})
}
