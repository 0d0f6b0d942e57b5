//go:build js && wasm

package main

//lint:file-ignore U1000 the exports are called by the script

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/queue"
)

// The hot calls. The script writes bytes into input, calls, and reads the header and what it points to, before it
// calls again. An export never blocks and never waits for JavaScript; what it leaves to be done, pump does.

// Statuses of an export.
const (
	statusOK     = 0
	statusAbsent = 1  // no such object
	statusError  = 2  // the output is {code, message, path} as JSON
	statusDead   = -1 // the program has panicked
)

// header is where an export leaves what is not its status.
//
//	0 address of the output · 1 its length · 2 room, or whether more follows · 3 whether it begins a whole · 4 ticket · 7 exports that
//	have come to their end
var header [8]uint32

// ended is counted last: an export in which something blocked comes back to the script without it.
const ended = 7

// maxKept is how much output is kept for the next one, in bytes.
const maxKept = 8 << 20

var (
	input  []byte
	output []byte
)

//go:wasmexport strandline_header
func exportHeader() int32 { return int32(uintptr(unsafe.Pointer(&header))) }

// strandline_input makes room for at least n bytes of input and gives its address, and the room in the header. Both hold until it is
// called again.
//
//go:wasmexport strandline_input
func exportInput(n int32) int32 {
	if cap(input) < int(n) {
		input = make([]byte, max(int(n), 4096, 2*cap(input)))
	}
	input = input[:cap(input)]
	header[2] = uint32(len(input))
	header[ended]++
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(input))))
}

// call runs the body of an export.
func call(h int32, body func(s *stream) int32) (status int32) {
	if dead {
		return statusDead
	}
	if cap(output) > maxKept {
		output = nil
	}
	defer func() {
		header[ended]++
		if r := recover(); r != nil {
			fatal("an export", r)
			status = statusDead
		}
	}()
	s := streams[int(h)]
	if s == nil {
		return failed(&action.Error{Code: action.CodeClosed, Message: "the stream is closed"})
	}
	s.db.whole()
	return body(s)
}

func give(b []byte) {
	output = b
	header[0], header[1] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))
}

func failed(err error) int32 {
	var e *action.Error
	if !errors.As(err, &e) {
		e = &action.Error{Code: action.CodeInternal, Cause: err}
	}
	b := action.PutText(append(output[:0], '{'), "code", e.Code)
	b = action.PutText(action.PutText(b, "message", e.Error()), "path", e.Path)
	if e.Holder != action.Nil {
		b = action.PutID(b, "holder", e.Holder)
	}
	give(append(b, '}'))
	return statusError
}

// Kinds of write, and what is in the input for each.
const (
	writeCreate   = 0 // the type as a JSON string, a line break, the fields as a JSON object
	writeUpdate   = 1 // the object's id, 36 bytes, and the parts as a JSON object
	writeRemove   = 2 // the object's id
	writeCreateAs = 3 // the object's id, and what writeCreate has
)

// strandline_write makes one action of one op out of n bytes of input. now is Unix milliseconds, as everywhere here: to ask for the time
// costs a call back. upon is one more than the head that its author has seen, 0 for that of now. The output is the action's and the object's id, 36
// characters each.
//
//go:wasmexport strandline_write
func exportWrite(h, kind, n int32, now, upon float64) int32 {
	return call(h, func(s *stream) int32 {
		in := input[:n]
		var object action.UUID
		if kind == writeCreate {
			object = newID(int64(now))
		} else {
			var ok bool
			if object, ok = action.ParseUUID(in[:min(len(in), 36)]); !ok {
				return failed(&action.Error{Code: action.CodeInvalid, Path: "/id", Message: "is no lower-case UUID"})
			}
			in = in[36:]
		}
		ops := make([]byte, 0, int(n)+96)
		switch kind {
		case writeUpdate:
			ops = object.Append(append(ops, `[{"object":"`...))
			ops = append(ops, `","op":"update"`...)
			if len(in) > 2 {
				ops = append(append(ops, ','), in[1:len(in)-1]...)
			}
		case writeRemove:
			ops = object.Append(append(ops, `[{"object":"`...))
			ops = append(ops, `","op":"remove"`...)
		default:
			typ, fields, _ := bytes.Cut(in, []byte{'\n'})
			ops = append(append(ops, `[{"fields":`...), fields...)
			ops = object.Append(append(ops, `,"object":"`...))
			ops = append(append(ops, `","op":"create","type":`...), typ...)
		}
		return write(s, object, &queue.Draft{Ops: view(append(ops, `}]`...)), Upon: uint64(upon)}, now)
	})
}

// strandline_transact makes one atomic action of n bytes of input: the guards as a JSON array, or nothing; a line break; the ops as a
// JSON array. upon is as with strandline_write.
//
//go:wasmexport strandline_transact
func exportTransact(h, n int32, now, upon float64) int32 {
	return call(h, func(s *stream) int32 {
		guards, ops, _ := strings.Cut(string(input[:n]), "\n")
		return write(s, action.Nil, &queue.Draft{Ops: ops, Guards: guards, Atomic: true, Upon: uint64(upon)}, now)
	})
}

// write makes an action of a draft and gives its id and the object's.
func write(s *stream, object action.UUID, d *queue.Draft, now float64) int32 {
	d.ID, d.At = newID(int64(now)), int64(now)
	if d.Meta == "" {
		d.Meta = s.group
	}
	ticket, err := s.Write(d)
	if err != nil {
		return failed(err)
	}
	header[4] = uint32(ticket)
	s.news.Add(d.Objects)
	give(object.Append(d.ID.Append(output[:0])))
	return statusOK
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// strandline_new_id gives n fresh ids for objects, 36 characters each.
//
//go:wasmexport strandline_new_id
func exportNewID(now float64, n int32) int32 {
	b := output[:0]
	for range n {
		b = newID(int64(now)).Append(b)
	}
	give(b)
	header[ended]++
	return statusOK
}

// strandline_check tells what is wrong with n bytes of ops, a JSON array, as far as that can be seen without the state.
//
//go:wasmexport strandline_check
func exportCheck(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		if err := s.CheckDraft(&queue.Draft{Ops: string(input[:n]), Atomic: true}); err != nil {
			return failed(err)
		}
		return statusOK
	})
}

// strandline_preview gives the row of the object whose id is the first 36 of n bytes of input as the ops behind it, a JSON array, would leave it.
//
//go:wasmexport strandline_preview
func exportPreview(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		object, _ := action.ParseUUID(input[:36])
		row, err := s.Preview(output[:0], object, &queue.Draft{Ops: string(input[36:n])})
		if err != nil {
			return failed(err)
		}
		if give(row); len(row) == 0 {
			return statusAbsent
		}
		return statusOK
	})
}

// strandline_pending gives the pending actions as a JSON array; those of the object in the input where n is 36.
//
//go:wasmexport strandline_pending
func exportPending(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		var of *action.UUID
		if n == 36 {
			id, ok := action.ParseUUID(input[:36])
			if !ok {
				give(append(output[:0], "[]"...))
				return statusOK
			}
			of = &id
		}
		give(s.AppendPending(output[:0], of))
		return statusOK
	})
}

// strandline_is_pending tells whether a pending action names the object in the input.
//
//go:wasmexport strandline_is_pending
func exportIsPending(h int32) int32 {
	return call(h, func(s *stream) int32 {
		if id, ok := action.ParseUUID(input[:36]); ok && s.IsPending(id) {
			return statusOK
		}
		return statusAbsent
	})
}

// strandline_status gives the stream's status as JSON.
//
//go:wasmexport strandline_status
func exportStatus(h int32) int32 {
	return call(h, func(s *stream) int32 {
		st := s.Status()
		give(appendStatus(output[:0], &st))
		return statusOK
	})
}

// appendStatus appends a status as JSON.
func appendStatus(b []byte, st *loop.Status) []byte {
	b = action.PutText(append(b, '{'), "state", string(st.State))
	if st.Reason == "" {
		b = action.PutJSON(b, "reason", "null")
	} else {
		b = action.PutText(b, "reason", st.Reason)
	}
	b = action.PutInt(b, "head", int64(st.Head))
	b = action.PutInt(b, "pending", int64(st.Pending))
	b = action.PutInt(b, "rejected", int64(st.Rejected))
	b = action.PutInt(b, "lastSynced", st.LastSynced)
	if st.NextAt > 0 {
		b = action.PutText(action.PutJSON(b, "next", "{"), "because", st.Because)
		b = append(action.PutInt(b, "at", st.NextAt), '}')
	}
	if st.Err != nil {
		b = action.PutText(action.PutJSON(b, "error", "{"), "code", st.Err.Code)
		b = action.PutText(b, "message", st.Err.Error())
		b = append(action.PutJSON(b, "retryable", strconv.FormatBool(st.Err.Retryable())), '}')
	}
	return append(b, '}')
}
