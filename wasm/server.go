//go:build js && wasm

package main

import (
	"errors"
	"strconv"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// What a plan asks of the server the script asks, for streams of actions and of data alike.

// request has one made. What has come of a checkpoint before is handed over, and comes back with the rest.
func (db *database) request(r *plan.Request) {
	path, body, kind, sum := "/sync", toJS(r.Body), "application/json", ""
	if o := r.Offer; o != nil {
		path = "/checkpoint?stream=" + js.Global().Call("encodeURIComponent", r.Stream).String() + "&epoch=" + o.Epoch.String() +
			"&index=" + strconv.FormatUint(o.Index, 10) + "&sha256=" + o.SHA256 // no cache answers with that of a fork
		if len(r.Have) > 0 {
			path += "&from=" + strconv.Itoa(len(r.Have))
		}
		body, kind, sum = js.Null(), "application/jsonl", o.SHA256
	}
	db.hooks.Call("request", uint32(r.Op), path, body, kind, r.Idle.First, r.Idle.Next, toJS(r.Have), sum)
}

// answered takes (database, op, bytes, retry after, problem or null, status, bytes of the bodies).
func answered(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Answered{Op: plan.Op(args[1].Int()), Body: toGo(args[2]), RetryAfter: int64(args[3].Int()), Err: problemOf(args[4]),
			Cost: plan.Cost{Status: args[5].Int(), Bytes: int64(args[6].Float())}})
	}
}

func (db *database) listen(l *plan.Listen) {
	about := js.Null()
	if l.About.Len() > 0 {
		about = toJS(protocol.AppendTopics(nil, &l.About))
	}
	db.hooks.Call("listen", uint32(l.Op), about)
}

// hinted takes (database, op, stream, head, data stream, offset).
func hinted(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Hinted{Op: plan.Op(args[1].Int()), Hint: protocol.Hint{Stream: args[2].String(), Head: uint64(args[3].Int()),
			Data: args[4].String(), Offset: args[5].String()}})
	}
}

// hintsEnded takes (database, op, problem or null).
func hintsEnded(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.HintsEnded{Op: plan.Op(args[1].Int()), Err: problemOf(args[2])})
	}
}

// problemOf is the error of a problem of the script's: {code, message, path, cause}.
func problemOf(v js.Value) error {
	if v.IsNull() {
		return nil
	}
	e := &action.Error{Code: v.Get("code").String(), Message: v.Get("message").String(), Path: v.Get("path").String()}
	if cause := v.Get("cause").String(); cause != "" {
		e.Cause = errors.New(cause)
	}
	return e
}

// toJS copies bytes into a Uint8Array.
func toJS(b []byte) js.Value {
	bytes := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(bytes, b)
	return bytes
}

// toGo copies a Uint8Array.
func toGo(bytes js.Value) []byte {
	b := make([]byte, bytes.Get("byteLength").Int())
	js.CopyBytesToGo(b, bytes)
	return b
}
