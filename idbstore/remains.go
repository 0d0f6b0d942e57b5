//go:build js && wasm

package idbstore

import (
	"bytes"
	"context"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/locallog"
)

// Remains implements locallog.Store. All of it is of one moment; but a browser that cannot read one value fails the whole request: then each
// is read by itself, until nothing has moved meanwhile.
func (s *Store) Remains(ctx context.Context, stream string) (locallog.Remains, error) {
	out, err := s.remainsAtOnce(ctx, stream)
	for tries := 0; err != nil && ctx.Err() == nil && tries < 3; tries++ {
		var moved bool
		var each error
		if out, moved, each = s.remainsSingly(ctx, stream); each == nil && !moved {
			return out, nil
		}
	}
	return out, mapError("read what is there of the log", err)
}

func (s *Store) remainsAtOnce(ctx context.Context, stream string) (out locallog.Remains, err error) {
	inRecords, inMeta := within(stream, -1, []any{}), within(stream, "", []any{})
	found, err := s.all(ctx, ask{records, "getAllKeys", inRecords}, ask{records, "getAll", inRecords},
		ask{meta, "getAllKeys", inMeta}, ask{meta, "getAll", inMeta}, ask{meta, "get", manifestKey(stream)})
	if err != nil {
		return out, err
	}
	for i := range found[0].Length() {
		put(&out, found[0].Index(i), found[1].Index(i), true)
	}
	for i := range found[2].Length() {
		put(&out, found[2].Index(i), found[3].Index(i), false)
	}
	out.Manifest = bytesIn(found[4])
	return out, nil
}

// remainsSingly reads each value in a transaction of its own. moved: something was written meanwhile.
func (s *Store) remainsSingly(ctx context.Context, stream string) (out locallog.Remains, moved bool, err error) {
	one := func(store string, key js.Value) js.Value {
		if found, err := s.all(ctx, ask{store, "get", key}); err == nil {
			return found[0]
		}
		return js.Undefined()
	}
	keys := func() ([]js.Value, error) {
		return s.all(ctx, ask{records, "getAllKeys", within(stream, -1, []any{})}, ask{meta, "getAllKeys", within(stream, "", []any{})})
	}
	found, err := keys()
	if err != nil {
		return out, false, err
	}
	out.Manifest = bytesIn(one(meta, manifestKey(stream)))
	for i, store := range [...]string{records, meta} {
		for j := range found[i].Length() {
			key := found[i].Index(j)
			put(&out, key, one(store, key), store == records)
		}
	}
	again, err := keys()
	if err != nil {
		return out, false, err
	}
	moved = again[0].Length() != found[0].Length() || again[1].Length() != found[1].Length()
	return out, moved || !bytes.Equal(out.Manifest, bytesIn(one(meta, manifestKey(stream)))), ctx.Err()
}

func put(out *locallog.Remains, key, value js.Value, record bool) {
	b := bytesIn(value)
	switch {
	case record:
		out.Records = append(out.Records, locallog.StoredRecord{LSN: lsnOf(key), Bytes: b})
	case key.Index(1).String() == locallog.SpareName:
		out.Spare = b
	default:
		out.Pages = append(out.Pages, locallog.Page{Name: key.Index(1).String(), Bytes: b})
	}
}

// ask is a request about a key or a range.
type ask struct {
	store, what string
	of          js.Value
}

// all makes requests in one transaction.
func (s *Store) all(ctx context.Context, asks ...ask) ([]js.Value, error) {
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	each := make([]func() (js.Value, error), len(asks))
	for i, a := range asks {
		each[i] = func() (js.Value, error) { return r.ask(a.store, a.what, a.of) }
	}
	return r.answers(each...)
}

// bytesIn copies bytes out; nil for what is none.
func bytesIn(value js.Value) []byte {
	if value.IsUndefined() {
		return nil
	}
	b, _ := bytesOf(value)
	return b
}
