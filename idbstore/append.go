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
	run   js.Value
	done  js.Func
	last  int
	calls map[int]chan appended
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

func (a *appends) init(run js.Value) {
	a.run, a.calls = run, map[int]chan appended{}
	a.done = js.FuncOf(func(_ js.Value, args []js.Value) any {
		call, end := args[0].Int(), appended{outcome: args[1].Int()}
		if why := args[2]; why.Truthy() {
			end.err = js.Error{Value: why}
		}
		a.calls[call] <- end
		delete(a.calls, call)
		if a.run.IsUndefined() && len(a.calls) == 0 {
			a.done.Release()
		}
		return nil
	})
}

// end takes no more; those under way still end.
func (a *appends) end() {
	a.run = js.Undefined()
	if len(a.calls) == 0 {
		a.done.Release()
	}
}

// aborting is a transaction of the script.
type aborting struct{ js.Value }

func (tx aborting) Abort() error {
	_, err := try(func() js.Value { return tx.Call("abort") })
	return err
}

// Append implements locallog.Store.
func (s *Store) Append(ctx context.Context, stream string, lsn locallog.LSN, record []byte, shown ...locallog.Shown) error {
	const op = "append a record"
	switch {
	case s.closed:
		return errClosed
	case s.frozen:
		return errFrozen
	}
	a := &s.appends
	a.last++
	call, ended := a.last, make(chan appended, 1)
	args := make([]any, 0, 8+2*len(shown))
	args = append(args, s.raw, s.durability == idb.DurabilityStrict, s.answer.Milliseconds(), a.done, call, stream, float64(lsn), toJS(record))
	for _, at := range shown {
		args = append(args, float64(at.LSN), at.Text)
	}
	begin := func() (js.Value, error) { return try(func() js.Value { return a.run.Invoke(args...) }) }
	db := s.db
	a.calls[call] = ended
	tx, err := begin()
	if err != nil {
		if err = s.reopen(ctx, db); err == nil {
			args[0] = s.raw
			if tx, err = begin(); err != nil {
				err = mapError(op, err)
			}
		}
		if err != nil {
			delete(a.calls, call)
			return err
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
