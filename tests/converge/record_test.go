package converge

import (
	"context"
	"slices"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/memory"
)

// recorder is an engine that remembers every entry, whatever the server forgets.
type recorder struct {
	*memory.Engine
	logs     map[string][]server.Entry
	watchers []*watcher
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

func (e *recorder) Append(ctx context.Context, stream string, epoch core.UUID, expect uint64, entries []server.Entry) error {
	err := e.Engine.Append(ctx, stream, epoch, expect, entries)
	if err == nil {
		e.logs[stream] = append(e.logs[stream], entries...)
		for _, w := range e.watchers {
			w.heard(stream, expect+uint64(len(entries)))
		}
	}
	return err
}
