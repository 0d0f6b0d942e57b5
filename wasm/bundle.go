//go:build js && wasm

package main

import (
	"context"
	"math/rand/v2"
	"strconv"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
)

// bundleStream takes (database, name, redact, done): done(error, stored, stand) with what is stored of a stream of actions, and what the open one was at
// which record, as JSON; null where that is not known. What is stored is a list of things: the byte m, p, s or r for the manifest, a page, the spare
// or a record; the length of its name (4 bytes, little-endian), and that; the same of what it is, whose length is one more: 0 where it cannot be read.
func bundleStream(args []js.Value) {
	db, name, done := databases[args[0].Int()], args[1].String(), args[3]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	var mask *bundle.Mask
	if args[2].Bool() {
		mask = bundle.NewMask(rand.Uint64)
	}
	var at bundle.Stand
	known := false
	if open := db.Stream(name); open != nil {
		db.whole()
		at, known = bundle.StandOf(open.Replica, mask)
	}
	background("a bundle", func() func() {
		r, err := db.store(db.Where()).Remains(context.Background(), name)
		return func() {
			stand := js.Null()
			if known && at.In(&r) {
				stand = js.ValueOf(string(at.Append(nil)))
			}
			if mask != nil {
				mask.Remains(&r)
			}
			var b []byte
			thing := func(what byte, name string, bytes []byte) {
				b = append(sized(append(b, what), len(name)), name...)
				if bytes == nil {
					b = sized(b, 0)
				} else {
					b = append(sized(b, len(bytes)+1), bytes...)
				}
			}
			if r.Manifest != nil {
				thing('m', "", r.Manifest)
			}
			for i := range r.Pages {
				thing('p', r.Pages[i].Name, r.Pages[i].Bytes)
			}
			if r.Spare != nil {
				thing('s', "", r.Spare)
			}
			for i := range r.Records {
				thing('r', strconv.Itoa(int(r.Records[i].LSN)), r.Records[i].Bytes)
			}
			done.Invoke(jsError(err), toJS(b), stand)
		}
	})
}

func sized(b []byte, n int) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

// adopt takes over an action that another profile has not sent: the output is that of strandline_write, of no object.
func adopt(s *stream, raw string) int32 {
	l, err := s.Adopt(raw)
	if err != nil {
		return failed(err)
	}
	header[4] = uint32(l.Ticket)
	for i := range l.Ops {
		s.news.Add([]action.UUID{l.Ops[i].Object})
	}
	give(action.Nil.Append(l.ID.Append(output[:0])))
	return statusOK
}
