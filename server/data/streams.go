package data

import (
	"context"
	"sync"

	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/web"
)

// Config says what is served.
type Config struct {
	Engine engine.DataEngine
	// Validate judges each entry before it is appended; nil: every one is taken.
	Validate func(context.Context, *JudgedEntry) error
}

// Streams are the data streams of a server.
type Streams struct {
	*web.Host
	engine   engine.DataEngine
	validate func(context.Context, *JudgedEntry) error

	mu      sync.Mutex
	waiting map[string]*waiters
	uses    uses
}

// New serves the data streams of an engine.
func New(host *web.Host, c Config) *Streams {
	return &Streams{Host: host, engine: c.Engine, validate: c.Validate, waiting: map[string]*waiters{}, uses: uses{}}
}

// update makes one step of the engine, without a processor while it waits for its commit of about so many rows.
func (s *Streams) update(ctx context.Context, rows int, do func(tx engine.DataTx) error) error {
	work := web.WorkOf(ctx)
	work.Pause()
	room, err := s.Commits.Take(ctx, work.Asker(), rows)
	if err != nil {
		_ = work.Resume(context.WithoutCancel(ctx))
		return err
	}
	defer room.End()
	err = s.engine.UpdateData(ctx, do)
	_ = work.Resume(context.WithoutCancel(ctx))
	return err
}
