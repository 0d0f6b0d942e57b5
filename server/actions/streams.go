package actions

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// Config says what is served, and within which limits.
type Config struct {
	Engine engine.Engine

	Judge Judge // of batches, before the stream is taken; nil: none

	// Authorize and Validate judge each action, in this order, before it is appended; nil: every action is taken.
	Authorize func(context.Context, *Judged) error
	Validate  func(context.Context, *Judged) error

	// Quota is what each principal may bring; Retention is how long a stream's entries are kept. nil: there are no limits.
	Quota     func(rights.Principal) rights.Quota
	Retention func(stream string) rights.Retention

	// MinSchema is the version of clients' code from which on a stream's actions are taken; 0, or where it is nil: of any.
	MinSchema func(stream string) int

	// OnAppended hears of each append, with the index of its last entry, out of line: two of one stream may come in any order.
	OnAppended func(stream string, head uint64)

	MaxActionBytes  int
	MaxState        int           // bytes of a stream's state, as a checkpoint has them
	MaxFolds        int           // the same of all folds in memory, about
	MaxTurnWork     int           // of the actions that one turn takes; the first one is taken whatever it costs
	MaxEntries      int           // of one stream in an answer
	MaxAnswerBytes  int           // of the entries of one answer
	IdleStream      time.Duration // after which a fold leaves memory
	Lease           time.Duration // of a lock
	CheckpointBytes int           // from how many bytes of entries on a checkpoint is built; negative: never
	Keep            uint64        // of the last entries, once checkpoints stand for those before; 0: all

	NewID func() action.UUID
	Hold  func(left time.Duration) error // instead of waiting for another client's turn; nil: it waits
}

// Streams are the action streams of a server.
type Streams struct {
	*web.Host
	Config
	engine engine.Engine

	mu      sync.Mutex
	streams map[string]*stream
	serving map[checkpointKey]*serving
	whole   map[checkpointKey]bool // checkpoints that match their hash
	claims  claims
	workers workers

	consumers consumers
	forgotten forgotten
	folds     int           // bytes of the folds in memory, about
	packing   atomic.Bool   // a checkpoint is being built
	large     chan struct{} // held by the turn of a large stream
	history   chan struct{} // held by the fold of a history
}

// New serves the streams of an engine.
func New(host *web.Host, c Config) *Streams {
	return &Streams{Host: host, Config: c, engine: c.Engine, streams: map[string]*stream{}, serving: map[checkpointKey]*serving{}, large: make(chan struct{}, 1), history: make(chan struct{}, 1)}
}

// stream gives the named stream, with one more user; release it.
func (s *Streams) stream(name string) *stream {
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

func (s *Streams) release(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.users--
	st.used = s.Now()
	if st.users == 0 && st.unwritten() {
		s.folds -= st.folds
		delete(s.streams, st.name) // names that somebody makes up cost nothing
	}
}

// unwritten tells whether the stream is known to have no log.
func (st *stream) unwritten() bool {
	if !st.mu.TryLock() {
		return false
	}
	defer st.mu.Unlock()
	return st.state == nil && st.quiet == 0 || st.loaded && st.state.Head == 0
}

// Sweep drops the folds of idle streams.
func (s *Streams) Sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, st := range s.streams {
		switch idle := s.Now().Sub(st.used) > s.IdleStream; {
		case idle && st.users == 0:
			s.folds -= st.folds
			delete(s.streams, name)
		case idle && st.mu.TryLock(): // somebody watches it, but nobody has asked for a while
			s.drop(st)
			st.mu.Unlock()
		}
	}
}

// folded counts a stream's fold after a turn, which holds st.mu, and drops those that were used least recently where all take too much. The fold of a stream
// that is only read goes at once.
func (s *Streams) folded(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.loaded && !st.pushed && len(st.leases) == 0 && st.state.Head > 0 {
		s.drop(st)
		return
	}
	was := st.folds
	if st.folds = 0; st.loaded {
		st.folds = foldCost*st.size + emptyFold
	}
	if s.folds += st.folds - was; s.folds <= s.MaxFolds {
		return
	}
	var others []*stream
	for _, other := range s.streams {
		if other.folds > 0 && other != st {
			others = append(others, other)
		}
	}
	slices.SortFunc(others, func(a, b *stream) int { return a.used.Compare(b.used) })
	for _, other := range others {
		if s.folds <= s.MaxFolds*9/10 {
			return
		}
		if other.mu.TryLock() { // nobody is using it
			s.drop(other)
			other.mu.Unlock()
		}
	}
}

// What a fold takes, by what its checkpoint has: values, and what stands around them.
const (
	foldCost  = 2
	emptyFold = 4 << 10
)

// largeState is from how many bytes of state on appends to a stream go one at a time with those of other large ones: each of them takes a few times that much.
const largeState = 16 << 20

// alone waits until no other large stream has a turn, without its fold. The caller holds st.mu, and calls leave before it lets go of that.
func (s *Streams) alone(ctx context.Context, st *stream, pushes bool) (leave func(), err error) {
	if st.size < largeState || !pushes {
		return func() {}, nil
	}
	select {
	case s.large <- struct{}{}:
	default:
		s.mu.Lock()
		if st.loaded {
			s.drop(st)
		}
		s.mu.Unlock()
		work := web.WorkOf(ctx)
		work.Pause()
		select {
		case s.large <- struct{}{}:
		case <-ctx.Done():
			_ = work.Resume(context.WithoutCancel(ctx))
			return nil, ctx.Err()
		}
		_ = work.Resume(context.WithoutCancel(ctx))
	}
	return func() { <-s.large }, nil
}

// drop lets a fold go. The caller holds mu, and st.mu.
func (s *Streams) drop(st *stream) {
	if st.loaded && len(st.leases) == 0 {
		st.quiet = st.state.Head
	}
	st.loaded, st.pushed, st.state, st.owners, st.leases, st.heard = false, false, nil, nil, nil, nil
	s.folds -= st.folds
	st.folds = 0
}

// Watch lets wake know of every move of a stream until stop; moved gives its newest head where it has moved since it was last asked.
func (s *Streams) Watch(name string, wake chan struct{}) (moved func() (head uint64, is bool), stop func()) {
	st := s.stream(name)
	st.watchers.Watch(wake)
	_, told := st.watchers.Last()
	return func() (uint64, bool) {
			head, moves := st.watchers.Last()
			is := moves != told
			told = moves
			return head, is
		}, func() {
			st.watchers.Unwatch(wake)
			s.release(st)
		}
}

// lock waits for the stream, and then for a processor.
func (st *stream) lock(ctx context.Context) {
	work := web.WorkOf(ctx)
	if !st.mu.TryLock() {
		work.Pause()
		st.mu.Lock()
	}
	_ = work.Resume(context.WithoutCancel(ctx))
}

// Head is the index of a stream's last entry.
func (s *Streams) Head(ctx context.Context, name string) (uint64, error) {
	log, err := s.engine.Log(ctx, name)
	return log.Head, err
}

// stream is one log in use: its fold, and who waits for it to move.
type stream struct {
	name  string
	users int       // guarded by Streams.mu
	folds int       // bytes that its fold is counted with; guarded by Streams.mu
	used  time.Time // guarded by Streams.mu

	mu     sync.Mutex // one append in flight
	loaded bool
	pushed bool   // somebody writes
	quiet  uint64 // the head at which the fold was dropped, and at which nobody held a lock
	state  *state.State
	owners map[action.UUID]string // client → the principal that first used it
	leases leases
	heard  leases // as the checkpoint that the fold began with has them
	weight int    // bytes of the entries after the newest checkpoint
	work   int    // that folding them takes
	size   int    // of the state's canonical text, at most

	checkpoints checkpoints
	pushers     pushers
	watchers    web.Watchers
}
