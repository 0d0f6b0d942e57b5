// Package server is the sync server: an http.Handler over a log engine, and the same core that clients run.
//
// It gives every action stream one total order: compare-and-append, one append in flight per stream, durable before the
// answer. It folds the streams that are in use, to know each client's last seq and the locks it holds; a stream that
// is idle costs no memory. What it speaks is in docs/PROTOCOL.md.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
)

// Config says what a server is made of. The zero value of a limit stands for its default.
type Config struct {
	Engine Engine
	Auth   Auth         // required: None, Secret, or the app's own
	Log    *slog.Logger // nil: slog.Default; no payloads, tokens or query strings are logged
	CORS   []string     // origins that may call from other pages, exactly as browsers send them

	// Authorize and Validate judge each action, in this order, before it is appended; nil: every action is taken of who may append. An error refuses
	// the action for good, and its author's client is told: with its own code and message where it is a *action.Error, else as forbidden or
	// invalid with its text. A *action.Error of the code unavailable, internal or rate-limited, and a panic, decide nothing: the client asks again.
	// A hook holds up its stream. What it refuses does not depend on what is offered after it.
	Authorize func(context.Context, *Judged) error
	Validate  func(context.Context, *Judged) error
	// ValidateData judges each entry of a data stream in the same way.
	ValidateData func(context.Context, *JudgedEntry) error

	MaxRequestBytes int           // unpacked; 4 MiB
	MaxActionBytes  int           // canonical; 256 KiB
	MaxEntries      int           // of one answer; 1,000
	Rate            float64       // requests a second per principal; 100
	Burst           int           // 500
	IdleStream      time.Duration // after which a stream's fold leaves memory; 5 minutes
	MaxWait         time.Duration // of a long poll; 60 s
	Lease           time.Duration // of a lock whose holder is not heard of with an action or a drain; 10 minutes

	// CheckpointBytes is from how many bytes of entries on a checkpoint is built; 256 KiB; negative: never.
	CheckpointBytes int
	// Keep is how many of a log's last entries are kept at least, once checkpoints stand for those before; 0: all are kept.
	Keep uint64

	// Now and NewID are the clock and the source of ids; nil: the real ones.
	Now   func() time.Time
	NewID func() action.UUID
	// Background runs what nobody waits for; nil: in a goroutine. Hold answers an append that must wait for another client's
	// turn; nil: it waits. Simulations set both.
	Background func(func())
	Hold       func(left time.Duration) error
}

// Server serves streams. It is safe for concurrent use.
type Server struct {
	Config
	http    http.Handler
	limiter limiter

	mu      sync.Mutex
	streams map[string]*stream
	data    map[string]*dataWatchers
	uses    uses
	done    chan struct{}
	once    sync.Once
}

// New makes a server. Close it after the listener has been shut down.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	def(&c.MaxRequestBytes, protocol.MaxRequestBytes)
	def(&c.MaxActionBytes, action.MaxActionBytes)
	def(&c.MaxEntries, 1000)
	def(&c.Rate, 100)
	def(&c.Burst, 500)
	def(&c.IdleStream, 5*time.Minute)
	def(&c.MaxWait, 60*time.Second)
	def(&c.Lease, 10*time.Minute)
	def(&c.CheckpointBytes, 256<<10)
	if c.Background == nil {
		c.Background = func(f func()) { go f() }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() action.UUID { return action.UUID(uuid.Must(uuid.NewV7())) }
	}
	s := &Server{Config: c, streams: map[string]*stream{}, data: map[string]*dataWatchers{}, uses: uses{}, done: make(chan struct{})}
	s.limiter = limiter{rate: c.Rate, burst: float64(c.Burst), now: c.Now}
	s.http = s.routes()
	go s.janitor()
	return s
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
func (s *Server) Close() { s.once.Do(func() { close(s.done) }) }

// stream gives the named stream, with one more user; release it.
func (s *Server) stream(name string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[name]
	if st == nil {
		st = &stream{name: name}
		s.streams[name] = st
	}
	st.users++
	st.used = s.Now()
	return st
}

func (s *Server) release(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.users--
	st.used = s.Now()
	if st.users == 0 && st.unwritten() {
		delete(s.streams, st.name) // names that somebody makes up cost nothing
	}
}

// unwritten tells whether the stream is known to have no log.
func (st *stream) unwritten() bool {
	if !st.mu.TryLock() {
		return false
	}
	defer st.mu.Unlock()
	return st.state == nil || st.loaded && st.state.Head == 0
}

// janitor drops the folds of idle streams.
func (s *Server) janitor() {
	tick := time.NewTicker(s.IdleStream / 2)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		for name, st := range s.streams {
			switch idle := s.Now().Sub(st.used) > s.IdleStream; {
			case idle && st.users == 0:
				delete(s.streams, name)
			case idle && st.mu.TryLock(): // somebody watches it, but nobody has asked for a while
				st.loaded, st.state, st.owners = false, nil, nil
				st.mu.Unlock()
			}
		}
		s.mu.Unlock()
		s.limiter.sweep()
		s.sweepData()
	}
}

// stream is one log in use: its fold, and who waits for it to move.
type stream struct {
	name  string
	users int       // guarded by Server.mu
	used  time.Time // guarded by Server.mu

	mu     sync.Mutex // one append in flight
	loaded bool
	state  *state.State
	owners map[action.UUID]string // client → the principal that first used it
	leases leases
	weight int // bytes of the entries after the newest checkpoint

	checkpoints checkpoints
	pushers     pushers
	watchers    watchers
}

// load folds the log. The caller holds mu.
func (st *stream) load(ctx context.Context, e Engine) error {
	if st.loaded {
		return nil
	}
	log, err := e.Log(ctx, st.name)
	if err != nil {
		return err
	}
	st.state, st.owners, st.leases = state.NewState(), map[action.UUID]string{}, nil
	st.state.Epoch, st.weight = log.Epoch, 0
	// Without a checkpoint that can be read, the entries will do, if they are all there.
	if err := st.fromCheckpoint(ctx, e, &log); err != nil && st.state.Head == 0 && log.Oldest > 1 {
		return err
	}
	for st.state.Head < log.Head {
		entries, err := e.Read(ctx, st.name, st.state.Head, 1000, 4<<20)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return &action.Error{Code: action.CodeInternal, Message: "the engine lacks entries below its head"}
		}
		for i := range entries {
			a, err := action.DecodeAction(entries[i].Raw)
			if err != nil {
				return err
			}
			st.apply(a, entries[i].By)
			st.weight += len(a.Raw)
			if st.state.Chain != entries[i].Chain {
				return &action.Error{Code: action.CodeInternal, Message: "a stored entry does not match its chain"}
			}
		}
	}
	st.loaded = true
	return nil
}

func (st *stream) apply(a *action.Action, by string) {
	st.state.ApplyEntry(a, nil, nil)
	// An empty subject owns nothing: it is that of a server without authentication, which may get one later.
	if st.owners[a.Client] == "" && by != "" && a.Client != action.Nil {
		st.owners[a.Client] = by
	}
}
