package client

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
)

// DB is a local database: its streams, and the loop that keeps them in step with the server. It is safe for concurrent use.
type DB struct {
	url   string
	user  string
	token func(context.Context) (string, error)
	http  *http.Client
	store locallog.Store

	mu      sync.Mutex // of all below; the core is stepped by one at a time
	core    *loop.DB
	streams map[plan.StreamID]*Stream
	opening map[string]*opening
	calls   map[plan.Call]func(plan.Notice)
	last    plan.Call
	timers  map[plan.TimerID]*time.Timer
	under   map[plan.Op]context.CancelFunc // requests
	ear     context.CancelFunc             // of the connection for hints; nil: there is none
	more    bool
	closed  bool
	works   sync.WaitGroup // what runs beside
}

// Open makes a database of a store. Nothing is read before a stream is opened.
func Open(o Options) (*DB, error) {
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	db := &DB{url: base, user: o.User, token: o.Token, store: o.Store, streams: map[plan.StreamID]*Stream{}, opening: map[string]*opening{}, calls: map[plan.Call]func(plan.Notice){},
		timers: map[plan.TimerID]*time.Timer{}, under: map[plan.Op]context.CancelFunc{}}
	if db.store == nil {
		db.store = memstore.New().Open()
	}
	asks := http.Client{}
	if o.HTTP != nil {
		asks = *o.HTTP
	}
	asks.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	db.http = &asks
	db.core = loop.New(loop.Config{Sources: sources{}, User: o.User, Alone: base == "", Retry: o.Retry.Milliseconds(), Idle: o.Idle.Milliseconds(), Schema: o.Schema, Unshown: true, Slice: math.MaxInt32})
	return db, nil
}

// sources implements plan.Sources.
type sources struct{}

func (sources) Now() int64             { return time.Now().UnixMilli() }
func (sources) NewID() action.UUID     { return action.UUID(uuid.Must(uuid.NewV7())) }
func (sources) NewClient() action.UUID { return action.UUID(uuid.New()) }
func (sources) Random() float64        { return rand.Float64() }

// opening is a stream that is being opened, by however many.
type opening struct {
	done   chan struct{}
	stream *Stream
	err    error
}

// Stream opens a stream; one that is open is given again.
func (db *DB) Stream(ctx context.Context, name string) (*Stream, error) {
	db.mu.Lock()
	o := db.opening[name]
	if o == nil {
		o = &opening{done: make(chan struct{})}
		db.opening[name] = o
		call := db.call(func(n plan.Notice) {
			opened := n.(*plan.Opened)
			if o.err = opened.Err; o.err == nil {
				o.stream = newStream(db, db.core.Stream(name))
				db.streams[opened.Stream] = o.stream
			} else {
				delete(db.opening, name)
			}
			close(o.done)
		})
		db.step(&plan.Open{Name: name, Call: call})
	}
	db.mu.Unlock()
	select {
	case <-o.done:
		return o.stream, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Sync has the loop run now until nothing is left to fetch or persist, or it fails.
func (db *DB) Sync(ctx context.Context) error {
	return db.wait(ctx, func(call plan.Call) plan.Event { return &plan.Sync{Call: call} })
}

// Close lets what was written become durable in the store, and ends the database. What the server does not have stays in the store.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.mu.Unlock()
	err := db.wait(context.Background(), func(call plan.Call) plan.Event { return &plan.Close{Call: call} })
	db.mu.Lock()
	db.closed = true
	for _, t := range db.timers {
		t.Stop()
	}
	for _, cancel := range db.under {
		cancel()
	}
	if db.ear != nil {
		db.ear()
	}
	db.mu.Unlock()
	db.works.Wait()
	return err
}

// wait steps an event whose call is answered by Done.
func (db *DB) wait(ctx context.Context, event func(plan.Call) plan.Event) error {
	done := make(chan error, 1)
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return errClosed
	}
	call := db.call(func(n plan.Notice) { done <- n.(*plan.Done).Err })
	db.step(event(call))
	db.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errClosed = action.Fail(action.CodeClosed, "", "the database is closed")

// call names somebody who waits for a notice. The caller holds mu; f is called with it.
func (db *DB) call(f func(plan.Notice)) plan.Call {
	db.last++
	db.calls[db.last] = f
	return db.last
}
