//go:build js && wasm

package idbstore

import (
	"context"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// appends are the transactions of append.js that are under way.
type appends struct {
	run    js.Value
	done   js.Func
	last   int
	calls  map[int]chan appended
	closed bool
}

// appended is how one ended; the outcomes are those of append.js.
type appended struct {
	outcome int
	err     error
}

const (
	appendStored = iota
	appendLost
	appendGone
)

func newAppends(run js.Value) *appends {
	a := &appends{run: run, calls: map[int]chan appended{}}
	a.done = js.FuncOf(func(_ js.Value, args []js.Value) any {
		call := args[0].Int()
		if ended := a.calls[call]; ended != nil {
			ended <- appended{args[1].Int(), failure(args[2])}
			a.forget(call)
		}
		return nil
	})
	return a
}

// failure makes an error of what the browser tells, which need not be one.
func failure(why js.Value) error {
	switch {
	case !why.Truthy():
		return nil
	case why.Type() == js.TypeObject:
		return named{js.Error{Value: why}}
	}
	return &action.Error{Code: action.CodeStorage, Message: "what was thrown is no error"}
}

// named tells a browser's error with its name.
type named struct{ thrown js.Error }

func (e named) Error() string { return nameOf(e.thrown.Value) + ": " + e.thrown.Error() }
func (e named) Unwrap() error { return e.thrown }

// begin names a call that is about to be made.
func (a *appends) begin() (call int, ended chan appended) {
	a.last++
	ended = make(chan appended, 1)
	a.calls[a.last] = ended
	return a.last, ended
}

func (a *appends) forget(call int) {
	delete(a.calls, call)
	if a.closed && len(a.calls) == 0 {
		a.done.Release()
	}
}

// end takes no more; those under way still end.
func (a *appends) end() {
	if a.closed = true; len(a.calls) == 0 {
		a.done.Release()
	}
}

// aborting is a transaction of the script.
type aborting struct{ js.Value }

func (tx aborting) Abort() error {
	_, err := try(func() js.Value { return tx.Call("abort") })
	return err
}

// usable tells whether a transaction may begin.
func (s *Store) usable() error {
	switch {
	case s.closed:
		return errClosed
	case s.frozen:
		return errFrozen
	}
	return nil
}

// Append implements locallog.Store.
func (s *Store) Append(ctx context.Context, stream string, lsn locallog.LSN, record []byte, shown ...locallog.Shown) error {
	const op = "append a record"
	if err := s.usable(); err != nil {
		return err
	}
	a, value := s.appends, toJS(record)
	begin := func() (tx js.Value, ended chan appended, err error) {
		call, ended := a.begin()
		args := make([]any, 0, 8+2*len(shown))
		args = append(args, s.raw, s.durability == idb.DurabilityStrict, s.answer.Milliseconds(), a.done, call, stream, float64(lsn), value)
		for _, at := range shown {
			args = append(args, float64(at.LSN), at.Text)
		}
		if tx, err = try(func() js.Value { return a.run.Invoke(args...) }); err != nil {
			a.forget(call)
		}
		return tx, ended, err
	}
	tx, ended, err := begin()
	if err != nil { // the browser has closed the connection
		if err := s.reopen(ctx, s.db); err != nil {
			return err
		}
		if err := s.usable(); err != nil {
			return err
		}
		if tx, ended, err = begin(); err != nil {
			return mapError(op, err)
		}
	}
	under := &aborting{tx}
	s.live[under] = true
	defer delete(s.live, under)
	var end appended
	select {
	case end = <-ended:
	case <-ctx.Done():
		_ = under.Abort()
		return mapError(op, ctx.Err())
	}
	switch {
	case end.outcome == appendStored:
		return nil
	case end.outcome == appendLost:
		return locallog.ErrLost
	case end.outcome == appendGone:
		return locallog.ErrGone
	case end.err == nil:
		return &action.Error{Code: action.CodeStorage, Message: op + ": the transaction ended unseen"}
	}
	return mapError(op, end.err)
}
