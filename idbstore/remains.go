//go:build js && wasm

package idbstore

import (
	"context"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/locallog"
)

// Remains implements locallog.Store. A browser that cannot read one value fails the whole request: then each is read by itself.
func (s *Store) Remains(ctx context.Context, stream string) (out locallog.Remains, err error) {
	const op = "read what is there of the log"
	for _, store := range [...]string{records, meta} {
		of := within(stream, -1, []any{})
		if store == meta {
			of = within(stream, "", []any{})
		}
		found, err := s.all(ctx, store, of, "getAllKeys", "getAll")
		values := js.Undefined()
		if err == nil {
			values = found[1]
		} else if found, err = s.all(ctx, store, of, "getAllKeys"); err != nil {
			return out, mapError(op, err)
		}
		keys := found[0]
		for i := range keys.Length() {
			key, value := keys.Index(i), js.Undefined()
			if !values.IsUndefined() {
				value = values.Index(i)
			} else if one, err := s.all(ctx, store, key, "get"); err == nil {
				value = one[0]
			} else if ctx.Err() != nil {
				return out, mapError(op, err)
			}
			b := bytesIn(value)
			switch name := key.Index(1); {
			case store == records:
				out.Records = append(out.Records, locallog.StoredRecord{LSN: lsnOf(key), Bytes: b})
			case name.String() == locallog.SpareName:
				out.Spare = b
			default:
				out.Pages = append(out.Pages, locallog.Page{Name: name.String(), Bytes: b})
			}
		}
	}
	if one, err := s.all(ctx, meta, manifestKey(stream), "get"); err == nil {
		out.Manifest = bytesIn(one[0])
	} else if ctx.Err() != nil {
		return out, mapError(op, err)
	}
	return out, nil
}

// all asks an object store several things about a key or a range.
func (s *Store) all(ctx context.Context, store string, of js.Value, asks ...string) ([]js.Value, error) {
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	each := make([]func() (js.Value, error), len(asks))
	for i, what := range asks {
		each[i] = func() (js.Value, error) { return r.ask(store, what, of) }
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
