//go:build js && wasm

package main

import (
	"context"
	"errors"
	"strings"
	"syscall/js"
	"time"

	"github.com/norunners/vert"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/idbstore"
)

// options is what open takes; names as in the JavaScript API.
type options struct {
	Name   string  `js:"name"`
	User   string  `js:"user"`
	URL    string  `js:"url"` // of /v1; empty for local only
	Strict bool    `js:"strict"`
	Retry  float64 `js:"retry"`
	Idle   float64 `js:"idle"`
	Elect  bool    `js:"elect"`
	Memory bool    `js:"memory"` // where the browser keeps nothing, go on in memory
}

// problem is an error as the script gets it.
type problem struct {
	Code      string `js:"code"`
	Message   string `js:"message"`
	Path      string `js:"path"`
	Retryable bool   `js:"retryable"`
	Pending   int    `js:"pending"`
}

// database is an open one.
type database struct {
	*loop.DB
	store *idbstore.Store // nil: in memory
}

var (
	databases = map[int]*database{}
	streams   = map[int]*stream{}
	handle    int
)

func jsError(err error) js.Value {
	if err == nil {
		return js.Null()
	}
	var e *action.Error
	if !errors.As(err, &e) {
		e = &action.Error{Code: action.CodeInternal, Cause: err}
	}
	return vert.ValueOf(problem{Code: e.Code, Message: e.Error(), Path: e.Path, Retryable: e.Retryable()}).JSValue()
}

// databaseName is the name in IndexedDB: one database never serves two users, so the parts are escaped.
func databaseName(name, user string) string {
	escape := js.Global().Get("encodeURIComponent")
	return "strandline/" + escape.Invoke(name).String() + "/" + escape.Invoke(user).String()
}

var errClosed = &action.Error{Code: action.CodeClosed, Message: "the database is closed"}

// reference begins what refers to an entry of a data stream, in the canonical text of an action. js/src/database.ts reads on.
const reference = `{"$data":"`

// openDatabase takes (options, auth, hooks, done): done(error, handle, life, why). life is the database's id; why is null, or the error for which it
// is in memory only. The hooks are functions of the script:
//
//	tell(message)      passes a message to other contexts
//	slot(stream, got)  calls got(release) when it is this context's turn to write; null where there are no locks
//	held(action)       tells whether an action waits for an entry of a data stream
//	steal()            takes the lead from a leader that is dead
//	frame()            gives the IndexedDB of a new frame, or null
//	lost(unsent)       the database was taken away: what is open goes on in memory
//	moved(name, offset)  a data stream that listenFor has named has another end; "" where nothing can be heard of any
func openDatabase(args []js.Value) {
	var o options
	auth, hooks, done := args[1], args[2], args[3]
	if err := vert.ValueOf(args[0]).AssignTo(&o); err != nil {
		done.Invoke(jsError(&action.Error{Code: action.CodeInvalid, Message: "the options cannot be read", Cause: err}))
		return
	}
	browser{}.Do(func() func() {
		var store locallog.Store
		stored, err := openStore(&o, hooks)
		life := ""
		var why error
		switch {
		case err == nil:
			store, life = stored, stored.Life()
		case o.Memory && (action.CodeOf(err) == action.CodeStorage || action.CodeOf(err) == action.CodeQuota):
			store, stored, why, err = memstore.New().Open(), nil, err, nil
			o.Elect = false
		}
		return func() {
			if err != nil {
				done.Invoke(jsError(err))
				return
			}
			handle++
			databases[handle] = &database{loop.NewDB(config(&o, store, auth, hooks)), stored}
			done.Invoke(js.Null(), handle, life, jsError(why))
		}
	})
}

// secondLimit is how long a second open may take: where the first one hung, an app has waited long enough.
const secondLimit = 2 * time.Second

// openStore opens the database in the browser. What fails is tried once more: some browsers answer the second time only.
func openStore(o *options, hooks js.Value) (*idbstore.Store, error) {
	name, how := databaseName(o.Name, o.User), idbstore.Options{Strict: o.Strict, Frame: func() js.Value { return hooks.Call("frame") }}
	store, err := idbstore.Open(context.Background(), name, how)
	if err != nil && action.CodeOf(err) == action.CodeStorage {
		how.Limit = secondLimit
		store, err = idbstore.Open(context.Background(), name, how)
	}
	return store, err
}

// config is what openDatabase's arguments say.
func config(o *options, store locallog.Store, auth, hooks js.Value) loop.Config {
	c := loop.Config{Host: browser{}, Store: store, User: o.User, NewClient: newClient, Retry: int64(o.Retry), Idle: int64(o.Idle),
		Elect: o.Elect, Tell: func(message []byte) {
			bytes := js.Global().Get("Uint8Array").New(len(message))
			js.CopyBytesToJS(bytes, message)
			hooks.Call("tell", bytes)
		}, Held: func(text string) bool {
			return strings.Contains(text, reference) && hooks.Call("held", text).Bool()
		}, Steal: func() { hooks.Call("steal") }, Lost: func(unsent int) { hooks.Call("lost", unsent) },
		Moved: func(data, offset string) { hooks.Call("moved", data, offset) }}
	if o.Memory {
		c.Refuge = func() locallog.Store { return memstore.New().Open() }
	}
	if hooks.Get("slot").Type() == js.TypeFunction {
		c.Slot = func(stream string, got func(release func())) {
			var called js.Func
			called = js.FuncOf(func(_ js.Value, args []js.Value) any {
				defer report("a turn to write")
				called.Release()
				release := args[0]
				got(func() { release.Invoke() })
				return nil
			})
			hooks.Call("slot", stream, called)
		}
	}
	if o.URL != "" {
		c.Transport = &fetcher{base: o.URL, auth: auth}
	}
	return c
}

// openStream takes (database, name, conflict-free or null, conflicts, observer, done): done(error, handle, client, conflict-free).
func openStream(args []js.Value) {
	db, name, done := databases[args[0].Int()], args[1].String(), args[5]
	o := loop.StreamOptions{Conflicts: args[3].Int()}
	if free := args[2]; free.Type() == js.TypeBoolean {
		yes := free.Bool()
		o.ConflictFree = &yes
	}
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	s := &stream{observer: args[4]}
	db.Open(name, o, s, func(opened *loop.Stream, err error) {
		if err != nil {
			done.Invoke(jsError(err))
			return
		}
		handle++
		s.Stream, s.handle = opened, handle
		streams[handle] = s
		done.Invoke(js.Null(), handle, opened.Client().String(), opened.ConflictFree())
	})
}

// closeStream takes (stream, done).
func closeStream(args []js.Value) {
	h, done := args[0].Int(), args[1]
	s := streams[h]
	if s == nil {
		done.Invoke()
		return
	}
	s.Close(func() { done.Invoke() })
}

// closeDatabase takes (database, done): done(error).
func closeDatabase(args []js.Value) {
	h, done := args[0].Int(), args[1]
	db := databases[h]
	if db == nil {
		done.Invoke(js.Null())
		return
	}
	db.Close(func(err error) { forget(h); done.Invoke(jsError(err)) })
}

// destroyDatabase takes (database, force, done): done(error).
func destroyDatabase(args []js.Value) {
	h, done := args[0].Int(), args[2]
	db := databases[h]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.Destroy(args[1].Bool(), func(unsent int, err error) {
		if err == nil {
			forget(h)
		}
		e := jsError(err)
		if unsent > 0 {
			e.Set("pending", unsent)
		}
		done.Invoke(e)
	})
}

func forget(h int) { delete(databases, h) }

// settled takes (stream, done).
func settled(args []js.Value) {
	done := args[1]
	s := streams[args[0].Int()]
	if s == nil {
		return
	}
	s.OnSettled(func() { done.Invoke() })
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
	s.OnPersisted(id, func(index uint64, rejected *replica.Rejected, err error) {
		text := js.Null()
		if rejected != nil {
			text = js.ValueOf(rejected.Action.Raw)
		}
		done.Invoke(jsError(err), index, text)
	})
}

// syncNow takes (database, done): done(error).
func syncNow(args []js.Value) {
	done := args[1]
	db := databases[args[0].Int()]
	if db == nil {
		done.Invoke(jsError(errClosed))
		return
	}
	db.Sync(func(err error) { done.Invoke(jsError(err)) })
}

// poke takes (database): what actions wait for may be there.
func poke(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.Ready()
	}
}

// hear takes (database, bytes): another context has told something.
func hear(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		message := make([]byte, args[1].Get("byteLength").Int())
		js.CopyBytesToGo(message, args[1])
		db.Hear(message)
	}
}

// listenFor takes (database, names): of the data streams that the connection for hints is to be about as well.
func listenFor(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		names := make([]string, args[1].Length())
		for i := range names {
			names[i] = args[1].Index(i).String()
		}
		db.ListenFor(names)
	}
}

// lead takes (database, yes): the script has the lock of the database, or lost it.
func lead(args []js.Value) {
	db := databases[args[0].Int()]
	switch {
	case db == nil:
	case args[1].Bool():
		db.Lead()
	default:
		db.Follow()
	}
}

// freeze takes (database, yes): the browser freezes the page, or lets it go on.
func freeze(args []js.Value) {
	db := databases[args[0].Int()]
	switch {
	case db == nil:
	case args[1].Bool():
		if db.store != nil {
			db.store.Freeze()
		}
	default:
		if db.store != nil {
			db.store.Thaw()
		}
		db.Resume()
	}
}

// wake takes (database, because): the clock has jumped.
func wake(args []js.Value) {
	if db := databases[args[0].Int()]; db != nil {
		db.Wake(args[1].String())
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
	browser{}.Do(func() func() {
		names, err := db.store.Streams(context.Background())
		return func() {
			list := make([]any, len(names))
			for i, name := range names {
				list[i] = name
			}
			done.Invoke(jsError(err), list)
		}
	})
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
}

// trace takes (database, each): each(turn), oldest first.
func trace(args []js.Value) {
	db := databases[args[0].Int()]
	if db == nil {
		return
	}
	for _, w := range db.Trace() {
		args[1].Invoke(vert.ValueOf(wakeUp{float64(w.At), float64(w.Took), w.Because, w.Fetched, w.Persisted, w.Rejected, w.Code}).JSValue())
	}
}

// pump starts what the exports have left to do; the script calls it once per tick.
func pump([]js.Value) {
	for _, db := range databases {
		db.Pump()
	}
}
