//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/plan"
)

// Data streams: the loop says when one has its turn, the script makes its requests and keeps what comes.

// openData takes (database, name, own, done): done(error, id).
func openData(args []js.Value) {
	db, done := databases[args[0].Int()], args[3]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.step(&plan.OpenData{Name: args[1].String(), Own: args[2].Bool(), Call: db.call(func(n plan.Notice) {
		opened := n.(*plan.Opened)
		done.Invoke(jsError(opened.Err), uint32(opened.Stream))
	})})
}

// closeData takes (database, id).
func closeData(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.CloseStream{Stream: plan.StreamID(args[1].Int())})
	}
}

// queued takes (database, name, pending, wrote, own).
func queued(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Queued{Name: args[1].String(), Pending: args[2].Int(), Wrote: args[3].Bool(), Own: args[4].Bool()})
	}
}

// worked takes (database, op, sent, fetched, refused, pending, offset, more, retry after, problem or null,
// alone, status, bytes of the bodies).
func worked(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		n := func(i int) int { return args[i].Int() }
		db.step(&plan.Worked{Op: plan.Op(n(1)), Sent: n(2), Fetched: n(3), Refused: n(4), Pending: n(5), Offset: args[6].String(), More: args[7].Bool(),
			RetryAfter: int64(n(8)), Err: problemOf(args[9]), Alone: args[10].Bool(),
			Cost: plan.Cost{Status: n(11), Bytes: int64(args[12].Float())}})
	}
}

// gone takes (database): another context has ended without a word.
func gone(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Gone{})
	}
}

// stands tells how a data stream stands, where the id is one's.
func (db *database) stands(id plan.StreamID) {
	if d := db.Data(id); d != nil {
		st := d.Status()
		db.hooks.Call("stands", d.Name(), string(appendStatus(nil, &st)))
	}
}
