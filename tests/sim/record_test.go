package sim

import (
	"context"
	"errors"
	"maps"
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
	fail     func() fate                      // of an append, where not nil: lostBefore or lostAfter
	past     map[action.UUID][]*action.Action // logs that were there before, by epoch
}

// backup is what a server can be restored to.
type backup struct {
	engine  *memory.Engine
	logs    map[string][]engine.Entry
	actions map[string][]*action.Action
}

func (e *recorder) backup() *backup {
	return &backup{e.Engine.Clone(), maps.Clone(e.logs), maps.Clone(e.actions)}
}

// restore brings a backup back.
func (w *world) restore(b *backup) {
	w.server.Close()
	w.engine.bury()
	restored, err := b.engine.Restored(w.ids.NewID)
	if err != nil {
		w.t.Fatal(err)
	}
	w.engine.Engine, w.engine.logs, w.engine.actions = restored, map[string][]engine.Entry{}, map[string][]*action.Action{}
	for name := range b.logs {
		w.engine.logs[name], w.engine.actions[name] = slices.Clone(b.logs[name]), slices.Clone(b.actions[name])
	}
	w.start()
}

// bury remembers the logs that end here.
func (e *recorder) bury() {
	if e.past == nil {
		e.past = map[action.UUID][]*action.Action{}
	}
	for name, actions := range e.actions {
		if log, err := e.Engine.Log(context.Background(), name); err == nil && log.Head > 0 {
			e.past[log.Epoch] = slices.Clone(actions)
		}
	}
}

func (e *recorder) Delete(ctx context.Context, stream string) error {
	e.bury()
	delete(e.logs, stream)
	delete(e.actions, stream)
	return e.Engine.Delete(ctx, stream)
}

// deleteLog deletes the stream on purpose.
func (w *world) deleteLog() {
	if _, err := w.server.Forget(w.t.Context(), "nobody", func(s string) bool { return s == stream }); err != nil {
		w.t.Fatal(err)
	}
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
