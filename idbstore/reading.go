//go:build js && wasm

package idbstore

import (
	"context"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// reading is a readonly transaction over both object stores past the driver, which has no getAll and gives out none of its
// JavaScript objects: a record that is read by itself is a request, an event and some ten calls across the border.
type reading struct {
	tx     js.Value
	store  *Store
	ctx    context.Context
	cancel func()
	ended  chan error
	events []js.Func
}

// read begins one; a connection that the browser has closed is opened again, once.
func (s *Store) read(ctx context.Context) (*reading, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	begin := func() (js.Value, error) {
		return try(func() js.Value { return s.raw.Call("transaction", js.ValueOf([]any{records, meta}), "readonly") })
	}
	tx, err := begin()
	if err != nil {
		if err := s.reopen(ctx, s.db); err != nil {
			return nil, err
		}
		if tx, err = begin(); err != nil {
			return nil, mapError("begin a transaction", err)
		}
	}
	r := &reading{tx: tx, store: s, ended: make(chan error, 1)}
	r.ctx, r.cancel = context.WithTimeout(ctx, s.answer)
	r.on("complete", func() error { return nil })
	r.on("abort", func() error {
		if why := tx.Get("error"); why.Truthy() {
			return js.Error{Value: why}
		}
		return &action.Error{Code: action.CodeStorage, Message: "the transaction was aborted"}
	})
	s.live[r] = true
	return r, nil
}

func (r *reading) on(event string, end func() error) {
	f := js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case r.ended <- end():
		default: // nobody waits any more
		}
		return nil
	})
	r.events = append(r.events, f)
	r.tx.Set("on"+event, f)
}

// Abort ends it at once.
func (r *reading) Abort() error {
	_, err := try(func() js.Value { return r.tx.Call("abort") })
	return err
}

// end forgets it.
func (r *reading) end() {
	if r.ctx.Err() != nil {
		_ = r.Abort()
	}
	r.cancel()
	r.tx.Set("oncomplete", js.Null())
	r.tx.Set("onabort", js.Null())
	for _, f := range r.events {
		f.Release()
	}
	delete(r.store.live, r)
}

// ask makes a request; its result is there when all have been waited for.
func (r *reading) ask(store, what string, of js.Value) (js.Value, error) {
	return try(func() js.Value { return r.tx.Call("objectStore", store).Call(what, of) })
}

func (r *reading) wait() error {
	select {
	case err := <-r.ended:
		return err
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// within is the range of keys [stream, low] to below [stream, high].
func within(stream string, low, high any) js.Value {
	return js.Global().Get("IDBKeyRange").Call("bound", js.ValueOf([]any{stream, low}), js.ValueOf([]any{stream, high}), false, true)
}

// answers are the results of requests as arrays.
func (r *reading) answers(asks ...func() (js.Value, error)) ([]js.Value, error) {
	out := make([]js.Value, len(asks))
	for i, ask := range asks {
		var err error
		if out[i], err = ask(); err != nil {
			_ = r.Abort()
			return nil, err
		}
	}
	if err := r.wait(); err != nil {
		return nil, err
	}
	for i := range out {
		out[i] = out[i].Get("result")
	}
	return out, nil
}

// logFrom reads a local log from a record on; false where the one before is not there. All of it comes by a few requests.
func (s *Store) logFrom(ctx context.Context, stream string, from locallog.LSN) (out locallog.Log, there bool, err error) {
	r, err := s.read(ctx)
	if err != nil {
		return out, false, err
	}
	defer r.end()
	entries := within(stream, float64(max(from, 1)-1), []any{})
	ask := func(store, what string, of js.Value) func() (js.Value, error) {
		return func() (js.Value, error) { return r.ask(store, what, of) }
	}
	asks := []func() (js.Value, error){ask(records, "getAllKeys", entries), ask(records, "getAll", entries)}
	if from == 0 { // the checkpoint, too
		pages := within(stream, "", locallog.BehindPages)
		asks = append(asks, ask(meta, "get", manifestKey(stream)), ask(meta, "getAllKeys", pages), ask(meta, "getAll", pages))
	}
	found, err := r.answers(asks...)
	if err != nil {
		return out, false, err
	}
	keys, values := found[0], found[1]
	n, at := keys.Length(), 0
	breath := s.breath()
	next := from
	switch {
	case from > 0:
		if n == 0 || lsnOf(keys.Index(0)) != from-1 {
			return out, false, nil
		}
		at = 1
	case !found[2].IsUndefined():
		if out.Manifest, err = bytesOf(found[2]); err != nil {
			return out, true, err
		}
		m, err := locallog.DecodeManifest(out.Manifest)
		if err != nil {
			return out, true, err
		}
		if out.Pages, err = pagesOf(m, found[3], found[4], breath); err != nil {
			return out, true, err
		}
		next = m.LSN + 1
		for at < n && lsnOf(keys.Index(at)) < next-1 {
			at++
		}
		if at == n || lsnOf(keys.Index(at)) != next-1 {
			return out, true, &action.Error{Code: action.CodeCorrupt, Message: "the local log lacks the last record of its checkpoint"}
		}
		at++
	}
	for ; at < n; at++ {
		if lsnOf(keys.Index(at)) != next {
			return out, true, errHole
		}
		b, err := bytesOf(values.Index(at))
		if err != nil {
			return out, true, err
		}
		out.Records = append(out.Records, b)
		next++
		if err := breath.take(); err != nil {
			return out, true, err
		}
	}
	return out, true, nil
}

// pagesOf gives the pages that a manifest names; nil for one that is not there.
func pagesOf(m *locallog.Manifest, keys, values js.Value, breath *breath) ([][]byte, error) {
	at := make(map[string]int, keys.Length())
	for i := range keys.Length() {
		at[keys.Index(i).Index(1).String()] = i
	}
	names := m.Names()
	pages := make([][]byte, len(names))
	for i, name := range names {
		if n, ok := at[name]; ok {
			var err error
			if pages[i], err = bytesOf(values.Index(n)); err != nil {
				return nil, err
			}
			if err := breath.take(); err != nil {
				return nil, err
			}
		}
	}
	return pages, nil
}

// try calls what may throw.
func try(f func() js.Value) (v js.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			thrown, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = thrown
		}
	}()
	return f(), nil
}
