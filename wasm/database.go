//go:build js && wasm

package main

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"github.com/norunners/vert"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
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
	Schema int     `js:"schema"`
	Elect  bool    `js:"elect"`
	Memory bool    `js:"memory"` // where the browser keeps nothing, go on in memory

	Storage string `js:"storage"` // "indexeddb", or "memory": nothing is to be kept
}

// problem is an error as the script gets it.
type problem struct {
	Code      string `js:"code"`
	Message   string `js:"message"`
	Path      string `js:"path"`
	Retryable bool   `js:"retryable"`
	Pending   int    `js:"pending"`
}

// database is an open one. carry.go carries its plans out.
type database struct {
	*loop.DB
	handle  int
	hooks   js.Value
	local   *idbstore.Store // nil: in memory
	stores  [2]locallog.Store
	streams map[plan.StreamID]*stream
	calls   map[plan.Call]func(plan.Notice)
	last    plan.Call
	timers  map[plan.TimerID]func()    // that take them back
	slots   map[plan.StreamID]js.Value // what gives them back
	more    bool
	owed    []plan.Plan // not carried out yet
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

// openDatabase takes (options, hooks, done): done(error, handle, life, why). life is the database's id; why is null, or the error for which it
// is in memory only. The hooks are functions of the script:
//
//	tell(message)      passes a message to other contexts
//	slot(stream, got)  calls got(release) when it is this context's turn to write; null where there are no locks
//	await(stream, id)  has entryDurable called when the server has this entry of a data stream
//	steal()            takes the lead from a leader that is dead
//	append(…)          is that of idbstore/append.js
//	frame()            gives the IndexedDB of a new frame, or null
//	heal(name, done)   deletes a database whose file is damaged: done(whether it did)
//	lost(unsent)       the database was taken away: what is open goes on in memory
//	request(op, path, body, kind, first, next, have, sum)  makes a request of the server: answered
//	abort(op)          ends a request, or a turn of a data stream, that nobody waits for any more
//	turn(op, name, hold, fetch)  makes a request of a data stream: worked
//	listen(op, about)  makes the connection for hints, in the place of the last one: hinted, hintsEnded; null: none
//	stands(name, status)  a data stream has another status, as JSON
func openDatabase(args []js.Value) {
	var o options
	hooks, done := args[1], args[2]
	if err := vert.ValueOf(args[0]).AssignTo(&o); err != nil {
		done.Invoke(jsError(&action.Error{Code: action.CodeInvalid, Message: "the options cannot be read", Cause: err}))
		return
	}
	background("opening a database", func() func() {
		var store locallog.Store
		var stored *idbstore.Store
		var err, why error
		life := ""
		if o.Storage != "memory" {
			stored, err = openStore(&o, hooks)
		}
		switch {
		case o.Storage == "memory":
			store, o.Elect = memstore.New().Open(), false
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
			db := &database{handle: handle, hooks: hooks, local: stored, streams: map[plan.StreamID]*stream{}, calls: map[plan.Call]func(plan.Notice){},
				timers: map[plan.TimerID]func(){}, slots: map[plan.StreamID]js.Value{}}
			db.stores[plan.Database] = store
			db.DB = loop.New(loop.Config{Sources: browser{}, User: o.User, Alone: o.URL == "", Retry: int64(o.Retry), Idle: int64(o.Idle), Schema: o.Schema, Shared: true,
				Slots: hooks.Get("slot").Type() == js.TypeFunction, Elect: o.Elect, Refuge: o.Memory})
			databases[handle] = db
			done.Invoke(js.Null(), handle, life, jsError(why))
		}
	})
}

// secondLimit is how long a second open may take: where the first one hung, an app has waited long enough.
const secondLimit = 2 * time.Second

// openStore opens the database in the browser. What fails is tried once more: some browsers answer the second time only.
func openStore(o *options, hooks js.Value) (*idbstore.Store, error) {
	name, how := databaseName(o.Name, o.User), idbstore.Options{Strict: o.Strict, Append: hooks.Get("append"), Yield: yield,
		Frame: func() js.Value { return hooks.Call("frame") }}
	store, err := idbstore.Open(context.Background(), name, how)
	if err != nil && action.CodeOf(err) == action.CodeStorage {
		how.Limit = secondLimit
		store, err = idbstore.Open(context.Background(), name, how)
	}
	if err != nil && idbstore.Damaged(err) && healed(hooks, name) {
		store, err = idbstore.Open(context.Background(), name, how)
	}
	return store, err
}

// healed has the script delete a database that the browser never opens again.
func healed(hooks js.Value, name string) bool {
	answer := make(chan bool, 1)
	told := js.FuncOf(func(_ js.Value, args []js.Value) any { answer <- args[0].Bool(); return nil })
	defer told.Release()
	hooks.Call("heal", name, told)
	return <-answer
}
