package data

import (
	"context"
	"strconv"
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/web"
)

// Config says what is served.
type Config struct {
	Engine engine.Engine
	// Validate judges each entry before it is appended; nil: every one is taken.
	Validate func(context.Context, *JudgedEntry) error
	// Quota is what each principal may bring; nil: there are no limits.
	Quota func(rights.Principal) rights.Quota
}

// Streams are the data streams of a server.
type Streams struct {
	*web.Host
	engine   engine.Engine
	validate func(context.Context, *JudgedEntry) error
	quota    func(rights.Principal) rights.Quota

	mu      sync.Mutex
	waiting map[string]*waiters
	uses    uses
}

// New serves the data streams of an engine.
func New(host *web.Host, c Config) *Streams {
	return &Streams{Host: host, engine: c.Engine, validate: c.Validate, quota: c.Quota, waiting: map[string]*waiters{}, uses: uses{}}
}

// allow tells whether a principal may bring so many bytes, in a stream that it begins or in another one.
func (s *Streams) allow(ctx context.Context, p rights.Principal, bytes int64, begins bool) error {
	if err := s.Takes(); err != nil {
		return err
	}
	if s.quota == nil {
		return nil
	}
	q := s.quota(p)
	if q.Data == 0 && (q.Streams == 0 || !begins) {
		return nil
	}
	use, err := s.engine.Use(ctx, p.Subject)
	switch {
	case err != nil:
		return err
	case q.Streams > 0 && begins && use.Streams >= q.Streams:
		return web.Problem(action.CodeQuota, "", "you are at your limit of "+strconv.FormatInt(q.Streams, 10)+" streams")
	case q.Data > 0 && bytes > 0 && use.Data+use.Parts+bytes > q.Data:
		return web.Problem(action.CodeQuota, "", "you are at your limit of "+strconv.FormatInt(q.Data, 10)+" bytes of entries")
	}
	return nil
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
