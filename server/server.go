// Package server is the sync server: an http.Handler over a log engine, and the same core that clients run.
//
// It gives every action stream one total order: compare-and-append, one append in flight per stream, durable before the
// answer. It folds the streams that are in use, to know each client's last seq and the locks it holds; a stream that
// is idle costs no memory. What it speaks is in docs/PROTOCOL.md.
package server

import (
	"math"
	"runtime"

	"github.com/strandline-sync/strandline/server/actions"

	"github.com/strandline-sync/strandline/server/web"

	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/data"
)

// Config says what a server is made of. The zero value of a limit stands for its default.
type Config struct {
	Engine Engine
	Auth   Auth         // required: None, Secret, or the app's own
	Log    *slog.Logger // nil: slog.Default; no payloads, tokens or query strings are logged
	CORS   []string     // origins that may call from other pages, exactly as browsers send them

	// Judge judges what a request offers to a stream before the stream is taken: it may take its time, holds up nobody else, and sees no state. A webhook
	// is in server/judge. nil: there is none.
	Judge Judge
	// Authorize and Validate judge each action, in this order, before it is appended; nil: every action is taken of who may append. An error refuses
	// the action for good, and its author's client is told: with its own code and message where it is a *action.Error, else as forbidden or
	// invalid with its text. A *action.Error of the code unavailable, internal or rate-limited, and a panic, decide nothing: the client asks again.
	// A hook holds up its stream. What it refuses does not depend on what is offered after it.
	Authorize func(context.Context, *Judged) error
	Validate  func(context.Context, *Judged) error
	// ValidateData judges each entry of a data stream in the same way.
	ValidateData func(context.Context, *JudgedEntry) error

	// Quota is what each principal may bring, and Retention how long a stream's entries are kept once a checkpoint stands for them, beside Keep; nil:
	// there are no limits. The rules of server/rights have both.
	Quota     func(Principal) Quota
	Retention func(stream string) Retention
	// Writable tells why nothing is taken now, such as a disk that is nearly full; nil, or where it gives nil, everything is. Reading goes on.
	Writable func() error

	// MinSchema is the version of clients' code (schemaVersion) from which on a stream's actions are taken; 0, or where it is nil: of any. Older code is
	// answered schema for what it offers: it reads on, and its actions wait until newer code sends them.
	MinSchema func(stream string) int

	// OnAppended hears of each append to an action stream, with the index of its last entry, after it is durable and out of line: two of one stream may come
	// in any order, and what it hears is no substitute for reading the log.
	OnAppended func(stream string, head uint64)

	MaxRequestBytes int           // unpacked; 4 MiB
	MaxMemory       int           // of all requests and answers under way; 128 MiB
	MaxActionBytes  int           // canonical; 256 KiB
	MaxState        int           // of a stream's state, in bytes of its checkpoint; 64 MiB
	MaxFolds        int           // of all streams' states in memory, each counted twice; 128 MiB
	MaxTurnWork     int           // of the actions that one turn takes, as state.Work counts it: the rest is offered again; 16 MiB
	MaxEntries      int           // of one answer, and of one stream in it; 1,000
	MaxAnswerBytes  int           // of the entries of one answer, over all its streams; 4 MiB
	Rate            float64       // requests a second per principal, each counted once for every stream that it names; 0: as many as it likes
	Burst           int           // 500
	IdleStream      time.Duration // after which a stream's fold leaves memory; 5 minutes
	MaxWait         time.Duration // of a long poll; 60 s
	Lease           time.Duration // of a lock whose holder is not heard of with an action or a drain; 10 minutes

	// CheckpointBytes is from how many bytes of entries on a checkpoint is built; 256 KiB; negative: never.
	CheckpointBytes int
	// Keep is how many of a log's last entries are kept at least, once checkpoints stand for those before; 0: all are kept.
	Keep uint64

	// Now and NewID are the clock and the source of ids; nil: the real ones. Steady is a clock that nobody sets, by which what has a time to live ends; nil:
	// Now, and the machine's where that is nil.
	Now    func() time.Time
	Steady func() time.Time
	NewID  func() action.UUID
	// Background runs what nobody waits for; nil: in a goroutine. Hold answers an append that must wait for another client's
	// turn; nil: it waits. Simulations set both.
	Background func(func())
	Hold       func(left time.Duration) error
}

// Server serves streams. It is safe for concurrent use.
type Server struct {
	host    *web.Host
	actions *actions.Streams
	data    *data.Streams
	engine  Engine
	http    http.Handler
	guesses *web.Limiter // of requests whose bearer cannot be told, by address
	once    sync.Once
}

// New makes a server. Close it after the listener has been shut down.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	def(&c.MaxRequestBytes, protocol.MaxRequestBytes)
	def(&c.MaxMemory, 128<<20)
	def(&c.MaxActionBytes, action.MaxActionBytes)
	def(&c.MaxState, 64<<20)
	def(&c.MaxFolds, 128<<20)
	def(&c.MaxTurnWork, state.MaxWork)
	def(&c.MaxEntries, 1000)
	def(&c.MaxAnswerBytes, 4*protocol.MaxAnswerBytes)
	def(&c.Rate, math.Inf(1))
	def(&c.Burst, 500)
	def(&c.IdleStream, 5*time.Minute)
	def(&c.MaxWait, 60*time.Second)
	def(&c.Lease, 10*time.Minute)
	def(&c.CheckpointBytes, 256<<10)
	if c.Background == nil {
		c.Background = func(f func()) { go f() }
	}
	if c.Now == nil {
		began := time.Now()
		c.Now = time.Now
		if c.Steady == nil {
			c.Steady = func() time.Time { return began.Add(time.Since(began)) }
		}
	}
	if c.Steady == nil {
		c.Steady = c.Now
	}
	if c.NewID == nil {
		c.NewID = func() action.UUID { return action.UUID(uuid.Must(uuid.NewV7())) }
	}
	host := &web.Host{Auth: c.Auth, Log: c.Log, CORS: c.CORS, Now: c.Now, Steady: c.Steady, Background: c.Background, Writable: c.Writable, Done: make(chan struct{}),
		Gate: web.NewGate(runtime.GOMAXPROCS(0)), Limiter: web.NewLimiter(c.Rate, c.Burst, c.Now), Memory: web.NewMemory(c.MaxMemory), Commits: web.NewCommits(maxCommit), MaxRequestBytes: c.MaxRequestBytes, MaxWait: c.MaxWait}
	s := &Server{
		host:   host,
		engine: c.Engine,
		actions: actions.New(host, actions.Config{Engine: c.Engine, Judge: c.Judge, Quota: c.Quota, Retention: c.Retention, MinSchema: c.MinSchema, OnAppended: c.OnAppended, Authorize: c.Authorize, Validate: c.Validate, MaxActionBytes: c.MaxActionBytes, MaxState: c.MaxState, MaxFolds: c.MaxFolds, MaxTurnWork: c.MaxTurnWork,
			MaxEntries: c.MaxEntries, MaxAnswerBytes: c.MaxAnswerBytes,
			IdleStream: c.IdleStream, Lease: c.Lease, CheckpointBytes: c.CheckpointBytes, Keep: c.Keep, NewID: c.NewID, Hold: c.Hold}),
		data: data.New(host, data.Config{Engine: c.Engine, Validate: c.ValidateData, Quota: c.Quota}),
	}
	s.guesses = web.NewLimiter(guessRate, guessBurst, c.Now)
	s.http = s.routes()
	go s.janitor(c.IdleStream / 2)
	return s
}

// How many requests without a valid token an address may make, a second and at once.
const (
	guessRate  = 10
	guessBurst = 200
)

// maxCommit is how many rows of larger requests wait for their commit at a time, so that nobody's append waits for a long one.
const maxCommit = 8000

// janitor drops what nobody has used for a while.
func (s *Server) janitor(pause time.Duration) {
	tick, retain := time.NewTicker(pause), time.NewTicker(actions.RetainEvery)
	defer tick.Stop()
	defer retain.Stop()
	for {
		select {
		case <-s.host.Done:
			return
		case <-tick.C:
		case <-retain.C:
			if err := s.Retain(context.Background()); err != nil {
				s.host.Log.Error("what is kept no longer could not all be forgotten", "error", err)
			}
		}
		s.actions.Sweep()
		s.host.Limiter.Sweep()
		s.guesses.Sweep()
		s.data.Sweep()
	}
}

// Sync answers the body of one sync request: what POST /v1/sync does, without HTTP.
func (s *Server) Sync(ctx context.Context, p Principal, body string) ([]byte, error) {
	return s.actions.Sync(ctx, p, body)
}

// Retain forgets what Config.Retention does not keep, in all logs. It is done every hour, and whenever a checkpoint is made.
func (s *Server) Retain(ctx context.Context) error { return s.actions.Retain(ctx) }

// Append appends an action of the program that holds the server, and gives its index and what the fold made of it. It asks neither rights nor hooks; limits
// hold. A repeat of a writer's last action gives the entry that is there.
func (s *Server) Append(ctx context.Context, w Write) (*Written, error) {
	return s.actions.Append(ctx, w)
}

// Consume calls fn with the entries of every stream of a pattern, such as orders/*, in the order of each log, those of the past and then those that come,
// until ctx ends. A consumer's place in each stream is kept under its name, after fn has returned nil: an entry is heard at least once, also over
// restarts. Where fn fails, that stream is heard again after a pause, which grows up to a minute, and the others go on. Where another log is in a
// stream's place (restored, deleted and written anew), fn hears ErrReset of it before anything else. One name is consumed once at a time.
func (s *Server) Consume(ctx context.Context, name, pattern string, fn func(context.Context, *Consumed) error) error {
	return s.actions.Consume(ctx, name, pattern, fn)
}

// Checkpoint gives the text of a checkpoint: what GET /v1/checkpoint does, without HTTP.
func (s *Server) Checkpoint(ctx context.Context, p Principal, stream string, epoch action.UUID, index uint64) ([]byte, error) {
	return s.actions.Checkpoint(ctx, p, stream, epoch, index)
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// ServeHTTP implements http.Handler for the paths under /v1.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.ServeHTTP(w, r) }

// Close ends what waits for news and lets the streams go. It does not close the engine.
func (s *Server) Close() { s.once.Do(func() { close(s.host.Done) }) }
