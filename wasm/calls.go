//go:build js && wasm

package main

import (
	"strings"
	"syscall/js"

	"github.com/norunners/vert"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/rows"
)

// The cold calls of the script.

// openStream takes (database, name, conflict-free or null, conflicts, observer, done): done(error, handle, client, conflict-free).
func openStream(args []js.Value) {
	db, name, done := databases[args[0].Int()], args[1].String(), args[5]
	o := plan.Options{Conflicts: args[3].Int()}
	if free := args[2]; free.Type() == js.TypeBoolean {
		yes := free.Bool()
		o.ConflictFree = &yes
	}
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	s := &stream{observer: args[4]}
	db.step(&plan.Open{Name: name, Options: o, Call: db.call(func(n plan.Notice) {
		opened := n.(*plan.Opened)
		if opened.Err != nil {
			done.Invoke(jsError(opened.Err))
			return
		}
		handle++
		s.Stream, s.db, s.handle = db.Stream(name), db, handle
		db.streams[opened.Stream], streams[handle] = s, s
		done.Invoke(js.Null(), handle, s.Client().String(), s.ConflictFree())
	})})
}

// closeStream takes (stream, done).
func closeStream(args []js.Value) {
	done := args[1]
	s := streams[args[0].Int()]
	if s == nil {
		done.Invoke()
		return
	}
	s.db.step(&plan.CloseStream{Stream: s.ID, Call: s.db.call(func(plan.Notice) { done.Invoke() })})
}

// closeDatabase takes (database, done): done(error).
func closeDatabase(args []js.Value) {
	done := args[1]
	db := databases[args[0].Int()]
	if db == nil {
		done.Invoke(js.Null())
		return
	}
	db.step(&plan.Close{Call: db.call(func(n plan.Notice) {
		delete(databases, db.handle)
		done.Invoke(jsError(n.(*plan.Done).Err))
	})})
}

// destroyDatabase takes (database, force, done): done(error).
func destroyDatabase(args []js.Value) {
	done := args[2]
	db := databases[args[0].Int()]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.step(&plan.Destroy{Force: args[1].Bool(), Call: db.call(func(n plan.Notice) {
		d := n.(*plan.Done)
		if d.Err == nil {
			delete(databases, db.handle)
		}
		e := jsError(d.Err)
		if d.Unsent > 0 {
			e.Set("pending", d.Unsent)
		}
		done.Invoke(e)
	})})
}

// lacking takes (stream, lack): what is shown beside its local log is not whole.
func lacking(args []js.Value) {
	if s := streams[args[0].Int()]; s != nil {
		s.db.step(&plan.Lacking{Stream: s.ID, Lack: plan.Lack(args[1].Int())})
	}
}

// settled takes (stream, done).
func settled(args []js.Value) {
	done := args[1]
	if s := streams[args[0].Int()]; s != nil {
		s.db.step(&plan.Settled{Stream: s.ID, Call: s.db.call(func(n plan.Notice) {
			if n.(*plan.Done).Err == nil {
				done.Invoke()
			}
		})})
	}
}

// persisted takes (stream, id, done): done(error, index, rejected action or null).
func persisted(args []js.Value) {
	done := args[2]
	s := streams[args[0].Int()]
	if s == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	id, ok := action.ParseUUID(args[1].String())
	if !ok {
		done.Invoke(jsError(&action.Error{Code: action.CodeNotFound, Message: "that is no action's id"}))
		return
	}
	s.db.step(&plan.Persisted{Stream: s.ID, ID: id, Call: s.db.call(func(n plan.Notice) {
		f := n.(*plan.Fate)
		text := js.Null()
		if f.Rejected != nil {
			text = js.ValueOf(f.Rejected.Action.Raw)
		}
		done.Invoke(jsError(f.Err), f.Index, text)
	})})
}

// discard takes (stream, action, done): done(error).
func discard(args []js.Value) {
	done := args[2]
	s := streams[args[0].Int()]
	if s == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	id, _ := action.ParseUUID(args[1].String())
	s.db.step(&plan.Discard{Stream: s.ID, ID: id, Call: s.db.done(done)})
}

// inOrder takes (stream, types, a line each): their rows tell from now on in which order their keys were written. All rows are new then.
func inOrder(args []js.Value) {
	if s := streams[args[0].Int()]; s != nil {
		s.OrderRows(strings.Split(args[1].String(), "\n"))
		s.news = rows.News{}
	}
}

// repair takes (stream, done): done(error).
func repair(args []js.Value) {
	done := args[1]
	s := streams[args[0].Int()]
	if s == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	s.db.step(&plan.Repair{Stream: s.ID, Call: s.db.done(done)})
}

// syncNow takes (database, done): done(error).
func syncNow(args []js.Value) {
	done := args[1]
	db := databases[args[0].Int()]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.step(&plan.Sync{Call: db.done(done)})
}

// entryDurable takes (database, stream, entry): the server has this entry of a data stream.
func entryDurable(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.EntryDurable{Entry: plan.Entry{Stream: args[1].String(), ID: args[2].String()}})
	}
}

// hear takes (database, bytes): another context has told something.
func hear(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Heard{Message: toGo(args[1])})
	}
}

// lead takes (database, yes): the script has the lock of the database, or lost it.
func lead(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Led{Leads: args[1].Bool()})
	}
}

// freeze takes (database, yes): the browser freezes the page, or lets it go on.
func freeze(args []js.Value) {
	db, yes := databases[args[0].Int()], args[1].Bool()
	if db == nil {
		return
	}
	switch {
	case db.local == nil:
	case yes:
		db.local.Freeze()
	default:
		db.local.Thaw()
	}
	if !yes {
		db.step(&plan.Resumed{})
	}
}

// offline takes (database): the browser says that there is no network.
func offline(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Offline{})
	}
}

// wake takes (database, because): the network may be back, people look, the clock has jumped.
func wake(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.step(&plan.Woken{Because: args[1].String()})
	}
}

// listStreams takes (database, done): done(error, names), those that have a local log.
func listStreams(args []js.Value) {
	done := args[1]
	db := databases[args[0].Int()]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.step(&plan.List{Call: db.call(func(n plan.Notice) {
		found := n.(*plan.Names)
		list := make([]any, len(found.Names))
		for i, name := range found.Names {
			list[i] = name
		}
		done.Invoke(jsError(found.Err), list)
	})})
}

// wakeUp is a turn of the loop as the script gets it.
type wakeUp struct {
	At        float64 `js:"at"`
	Took      float64 `js:"took"`
	Because   string  `js:"because"`
	Fetched   int     `js:"fetched"`
	Persisted int     `js:"persisted"`
	Rejected  int     `js:"rejected"`
	Code      string  `js:"code"`
	Data      string  `js:"data"`
	Streams   string  `js:"streams"`
	Status    int     `js:"status"`
	Bytes     float64 `js:"bytes"`
}

// trace takes (database, each): each(turn), oldest first.
func trace(args []js.Value) {
	db := databases[args[0].Int()]
	if db == nil {
		return
	}
	for _, w := range db.Trace() {
		turn := wakeUp{float64(w.At), float64(w.Took), w.Because, w.Fetched, w.Persisted, w.Rejected, w.Code, w.Data, w.Streams, w.Cost.Status, float64(w.Cost.Bytes)}
		args[1].Invoke(vert.ValueOf(turn).JSValue())
	}
}

// pump ends a task that wrote; the script calls it once.
func pump([]js.Value) {
	for _, db := range databases {
		db.step(&plan.Wrote{})
	}
}
