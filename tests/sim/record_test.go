package sim

import (
	"context"
	"errors"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// recorder is an engine that remembers every entry, whatever the server forgets.
type recorder struct {
	*memory.Engine
	logs     map[string][]engine.Entry
	actions  map[string][]*action.Action
	watchers []*watcher
	fail     func() fate // of an append, where not nil: lostBefore or lostAfter
}

// watcher hears of every append.
type watcher struct {
	heard func(stream string, head uint64)
}

func (e *recorder) watch(heard func(stream string, head uint64), stopped func()) (stop func()) {
	w := &watcher{heard}
	e.watchers = append(e.watchers, w)
	return func() {
		if i := slices.Index(e.watchers, w); i >= 0 {
			e.watchers = slices.Delete(slices.Clone(e.watchers), i, i+1)
			stopped()
		}
	}
}

func (e *recorder) Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	f := pass
	if e.fail != nil {
		f = e.fail()
	}
	if f == lostBefore {
		return errDisk
	}
	if n := len(e.logs[stream]); uint64(n) != expect {
		return engine.ErrConflict
	}
	err := e.Engine.Append(ctx, stream, epoch, expect, entries)
	if err == nil {
		e.logs[stream] = append(e.logs[stream], entries...)
		for i := range entries {
			a, err := action.DecodeAction(entries[i].Raw)
			if err != nil {
				return err
			}
			e.actions[stream] = append(e.actions[stream], a)
		}
		for _, w := range e.watchers {
			w.heard(stream, expect+uint64(len(entries)))
		}
	}
	if f == lostAfter {
		return errDisk
	}
	return err
}

var errDisk = errors.New("the disk fails")
