package converge

import (
	"context"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/memory"
)

// recorder is an engine that remembers every entry, whatever the server forgets.
type recorder struct {
	*memory.Engine
	logs map[string][]server.Entry
}

func (e *recorder) Append(ctx context.Context, stream string, epoch core.UUID, expect uint64, entries []server.Entry) error {
	err := e.Engine.Append(ctx, stream, epoch, expect, entries)
	if err == nil {
		e.logs[stream] = append(e.logs[stream], entries...)
	}
	return err
}
