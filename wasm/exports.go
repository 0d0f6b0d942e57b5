//go:build js && wasm

package main

//lint:file-ignore U1000 the exports are called by the script

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
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
//	0 address of the output · 1 its length · 2 slot, count or handle · 3 version · 4 ticket · 7 exports that have come to their end
var header [8]uint32

// ended is counted last: an export in which something blocked comes back to the script without it.
const ended = 7

// maxKept is how much output is kept for the next one, in bytes.
const maxKept = 8 << 20

var (
	input  []byte
	output []byte
	pairs  []uint32
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
	return body(s)
}

func give(b []byte) {
	output = b
	header[0], header[1] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))
}

func giveRows(rows []state.Row) int32 {
	pairs = pairs[:0]
	for _, r := range rows {
		pairs = append(pairs, uint32(r.Slot), r.Version)
	}
	header[0], header[1] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(pairs)))), uint32(len(pairs))
	return statusOK
}

func failed(err error) int32 {
	var e *action.Error
	if !errors.As(err, &e) {
		e = &action.Error{Code: action.CodeInternal, Cause: err}
	}
	b := append(output[:0], `{"code":`...)
	b = action.AppendString(b, e.Code)
	b = append(b, `,"message":`...)
	b = action.AppendString(b, e.Error())
	b = append(b, `,"path":`...)
	b = action.AppendString(b, e.Path)
	if e.Holder != action.Nil {
		b = append(e.Holder.Append(append(b, `,"holder":"`...)), '"')
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
// costs a call back. The output is the action's and the object's id, 36 characters each.
//
//go:wasmexport strandline_write
func exportWrite(h, kind, n int32, now float64) int32 {
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
		return write(s, object, &queue.Draft{Ops: view(append(ops, `}]`...))}, now)
	})
}

// strandline_transact makes one atomic action of n bytes of input: the guards as a JSON array, or nothing; a line break; the ops as a
// JSON array.
//
//go:wasmexport strandline_transact
func exportTransact(h, n int32, now float64) int32 {
	return call(h, func(s *stream) int32 {
		guards, ops, _ := strings.Cut(string(input[:n]), "\n")
		return write(s, action.Nil, &queue.Draft{Ops: ops, Guards: guards, Atomic: true}, now)
	})
}

// write makes an action of a draft and gives its id and the object's.
func write(s *stream, object action.UUID, d *queue.Draft, now float64) int32 {
	d.ID, d.At = newID(int64(now)), int64(now)
	ticket, err := s.Write(d)
	if err != nil {
		return failed(err)
	}
	header[4] = uint32(ticket)
	give(object.Append(d.ID.Append(output[:0])))
	return statusOK
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// strandline_new_id gives a fresh id for an object.
//
//go:wasmexport strandline_new_id
func exportNewID(now float64) int32 {
	give(newID(int64(now)).Append(output[:0]))
	header[ended]++
	return statusOK
}

// strandline_get finds the object whose id is the first 36 bytes of the input: slot and version.
//
//go:wasmexport strandline_get
func exportGet(h int32) int32 {
	return call(h, func(s *stream) int32 {
		id, ok := action.ParseUUID(input[:36])
		if !ok {
			return statusAbsent
		}
		row, ok := s.State().Get(id)
		if !ok {
			return statusAbsent
		}
		header[2], header[3] = uint32(row.Slot), row.Version
		return statusOK
	})
}

// strandline_rows gives the n objects whose slots are in the input, as a JSON array.
//
//go:wasmexport strandline_rows
func exportRows(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		b := append(output[:0], '[')
		for i := range int(n) {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.State().AppendRow(b, state.Slot(binary.LittleEndian.Uint32(input[4*i:])))
		}
		give(append(b, ']'))
		return statusOK
	})
}

// queries keeps the parsed form of the queries that are asked again and again.
var queries = map[string]*state.Query{}

const maxQueries = 256

func query(n int32) (*state.Query, error) {
	if q := queries[string(input[:n])]; q != nil {
		return q, nil
	}
	text := string(input[:n])
	q, err := state.ParseQuery(text)
	if err != nil {
		return nil, err
	}
	if len(queries) >= maxQueries {
		clear(queries)
	}
	queries[text] = q
	return q, nil
}

// strandline_query answers the query in the input: pairs of slot and version.
//
//go:wasmexport strandline_query
func exportQuery(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		q, err := query(n)
		if err != nil {
			return failed(err)
		}
		return giveRows(s.State().Query(q))
	})
}

// strandline_count counts what the query in the input would give.
//
//go:wasmexport strandline_count
func exportCount(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		q, err := query(n)
		if err != nil {
			return failed(err)
		}
		header[2] = uint32(s.State().Count(q))
		return statusOK
	})
}

// strandline_live makes the query in the input a live one and gives its handle.
//
//go:wasmexport strandline_live
func exportLive(h, n int32) int32 {
	return call(h, func(s *stream) int32 {
		q, err := query(n)
		if err != nil {
			return failed(err)
		}
		if s.lives == nil {
			s.lives = map[uint32]*state.Live{}
		}
		s.nextLive++
		s.lives[s.nextLive] = s.Subscribe(q)
		header[2] = s.nextLive
		return statusOK
	})
}

// strandline_live_rows gives a live query's rows, as pairs.
//
//go:wasmexport strandline_live_rows
func exportLiveRows(h, live int32) int32 {
	return call(h, func(s *stream) int32 {
		l := s.lives[uint32(live)]
		if l == nil {
			return statusAbsent
		}
		return giveRows(s.Rows(l))
	})
}

// strandline_live_end ends a live query.
//
//go:wasmexport strandline_live_end
func exportLiveEnd(h, live int32) int32 {
	return call(h, func(s *stream) int32 {
		if l := s.lives[uint32(live)]; l != nil {
			s.Unsubscribe(l)
			delete(s.lives, uint32(live))
		}
		return statusOK
	})
}

// strandline_flush brings the live queries up to date and gives the handles of those that may have changed.
//
//go:wasmexport strandline_flush
func exportFlush(h int32) int32 {
	return call(h, func(s *stream) int32 {
		pairs = pairs[:0]
		for _, l := range s.Flush() {
			for live, m := range s.lives {
				if m == l {
					pairs = append(pairs, live)
				}
			}
		}
		header[0], header[1] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(pairs)))), uint32(len(pairs))
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
		b := append(output[:0], `{"state":`...)
		b = action.AppendString(b, string(st.State))
		b = append(b, `,"reason":`...)
		if st.Reason == "" {
			b = append(b, "null"...)
		} else {
			b = action.AppendString(b, st.Reason)
		}
		number := func(name string, n int64) {
			b = append(append(append(b, `,"`...), name...), `":`...)
			b = strconv.AppendInt(b, n, 10)
		}
		number("head", int64(st.Head))
		number("pending", int64(st.Pending))
		number("rejected", int64(st.Rejected))
		number("lastSynced", st.LastSynced)
		if st.NextAt > 0 {
			b = append(b, `,"next":{"because":`...)
			b = action.AppendString(b, st.Because)
			number("at", st.NextAt)
			b = append(b, '}')
		}
		if st.Err != nil {
			b = append(b, `,"error":`...)
			b = append(b, `{"code":`...)
			b = action.AppendString(b, st.Err.Code)
			b = append(b, `,"message":`...)
			b = action.AppendString(b, st.Err.Error())
			b = append(b, `,"retryable":`...)
			b = strconv.AppendBool(b, st.Err.Retryable())
			b = append(b, '}')
		}
		give(append(b, '}'))
		return statusOK
	})
}
