package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
)

// Config is what a database is made of.
type Config struct {
	Host      Host
	Store     locallog.Store
	Transport Transport // nil: local only, pending actions wait
	User      string
	// NewClient makes the random id of a new local log.
	NewClient func() action.UUID
	// Retry and Idle are the pauses in milliseconds; 0 stands for the defaults.
	Retry, Idle int64
	// Compact is how many bytes of records are worth a local checkpoint; 0 stands for 256 KiB.
	Compact int
	// Tell passes a message to the other contexts of the database, whose Hear takes it. It may be nil.
	Tell func(message []byte)
	// Slot calls got when it is this context's turn to write to a stream, or after a moment in any case; got's caller waits until
	// release is called before it lets the next context write. It may be nil.
	Slot func(stream string, got func(release func()))
	// Held tells whether an action (its canonical text) waits for something outside: it is not offered yet, nor are
	// those after it. Wake when that may have changed. It may be nil.
	Held func(action string) bool
	// Elect says that other contexts may lead: this one follows until Lead is called.
	Elect bool
	// Steal is called in a follower whose leader has said nothing for so long that it is not alive. It may be nil.
	Steal func()
	// Refuge makes a store in memory, where what is open goes on if the database is taken away under it. Lost is called when that
	// has happened, with the number of actions that the server does not have. Without a Refuge the streams are closed then.
	Refuge func() locallog.Store
	Lost   func(unsent int)
	// Moved tells of a data stream that ListenFor has named: where its end is now, "" where it is not there. data is "" where the
	// connection cannot be had: any of them may have moved. It may be nil.
	Moved func(data, offset string)
}

// DB is one local database: its open streams, and the loop that keeps them in step with the server. All its functions
// are called on the host's thread.
//
// The loop, once for all streams:
//
//	turn:  ask the server about every stream: entries after its head, else take these pending actions
//	       commit what came as one record each; unapply pending, apply the new entries, apply what is still pending
//	pause: 5 s after a network failure; 60 s when nothing was fetched or persisted; none after activity
type DB struct {
	host      Host
	store     locallog.Store
	transport Transport
	user      string
	newClient func() action.UUID
	retry     int64
	idle      int64
	compact   int
	tellFunc  func([]byte)
	slots     func(stream string, got func(release func()))
	held      func(action string) bool

	streams   map[string]*Stream
	closing   map[*Stream]bool // out of streams, not ended yet
	closed    bool
	spentBy   string // the stream whose actions left no room for the others': the next request begins after it
	lastAsked string // with more streams than one request may name, the next one begins after it

	running   bool   // a turn is under way
	again     string // why the next turn follows at once, or empty
	againHard bool   // it does so after a failure too
	cancel    func() // of the pause's timer
	nextAt    int64
	because   string
	cutIdle   bool // a new local action cuts the pause
	offline   bool // the browser said so, or no server was named
	room      int  // bytes of a request that are taken up by actions
	limit     int  // entries that an answer may have
	wentSize  int  // of the largest request that was answered, as far as that still holds
	down      bool // the last request failed
	hinted    bool // and a hint has ended the pause after it
	leaving   bool // the database is to be destroyed: nothing is written any more
	abort     context.CancelFunc
	syncers   []func(error)
	joined    []func(error) // those that came while a turn was under way: the next one is theirs

	leading  bool
	steal    func()
	refuge   func() locallog.Store
	lost     func(unsent int)
	moved    func(data, offset string)
	inRefuge bool
	heardAt  int64    // when the leader said something
	heard    struct { // of the leader
		next    int64
		because string
	}
	hints   hints
	trace   []WakeUp // oldest first
	current WakeUp   // the turn under way
}

// NewDB makes a database. Nothing is read before a stream is opened.
func NewDB(c Config) *DB {
	db := &DB{
		host: c.Host, store: c.Store, transport: c.Transport, user: c.User, newClient: c.NewClient,
		retry: c.Retry, idle: c.Idle, compact: c.Compact,
		tellFunc: c.Tell, slots: c.Slot, held: c.Held, leading: !c.Elect, steal: c.Steal, refuge: c.Refuge, lost: c.Lost, moved: c.Moved,
		streams: map[string]*Stream{}, closing: map[*Stream]bool{}, room: usualRoom, limit: protocol.MaxEntries,
	}
	db.heardAt = db.host.Now()
	if db.retry <= 0 {
		db.retry = DefaultRetry
	}
	if db.idle <= 0 {
		db.idle = DefaultIdle
	}
	if db.compact <= 0 {
		db.compact = DefaultCompact
	}
	return db
}

// Open reads a stream's local log, or makes it, and puts the stream into the loop. A stream that is open is given
// again by its name by Stream; opening it twice is the caller's error.
func (db *DB) Open(name string, o StreamOptions, observer Observer, opened func(*Stream, error)) {
	if s := db.streams[name]; s != nil && s.attended {
		s.Close(func() { db.Open(name, o, observer, opened) })
		return
	}
	db.open(name, o, observer, false, opened)
}

// StreamOptions say how a stream is used. The zero value takes it as it is.
type StreamOptions struct {
	ConflictFree *bool // the mode, which is chosen when the local log is made; nil: as it is, or not
	Conflicts    int   // how many reports are kept; 0: DefaultConflicts
}

func (db *DB) open(name string, o StreamOptions, observer Observer, attended bool, opened func(*Stream, error)) {
	if bad := action.CheckStreamName(name); bad != "" {
		opened(nil, action.Fail(action.CodeInvalid, "/name", bad))
		return
	}
	if db.closed {
		opened(nil, errClosed)
		return
	}
	s := &Stream{Replica: replica.New(name), db: db, options: o, observer: observer, attended: attended, opened: opened}
	db.streams[name] = s
	s.load()
}

// Stream is the open stream of that name, or nil.
func (db *DB) Stream(name string) *Stream { return db.streams[name] }

// Pump starts what waits to be committed, in every stream.
func (db *DB) Pump() {
	for _, s := range db.sorted() {
		s.Pump()
	}
}

// sorted lists the streams by name: the core does nothing in the order of a map.
func (db *DB) sorted() []*Stream {
	out := make([]*Stream, 0, len(db.streams))
	for _, s := range db.streams {
		out = append(out, s)
	}
	action.SortBy(len(out), func(i, j int) bool { return out[i].Name() < out[j].Name() },
		func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Close makes what was written durable, ends every stream and lets go of the store.
func (db *DB) Close(done func(error)) {
	db.stopLoop()
	db.whenClosed(func() {
		store := db.store
		db.host.Do(func() func() {
			err := store.Close()
			return func() { done(err) }
		})
	})
}

// whenClosed closes what is open and runs f when all of it has ended.
func (db *DB) whenClosed(f func()) {
	left := 1
	one := func() {
		if left--; left == 0 {
			f()
		}
	}
	open := db.sorted()
	for s := range db.closing {
		open = append(open, s)
	}
	for _, s := range open {
		left++
		s.Close(one)
	}
	one()
}

// whenIdle runs f when no stream has anything left to commit.
func (db *DB) whenIdle(f func()) {
	for _, s := range db.sorted() {
		if s.opened == nil && !s.ended && (s.busy || s.waiting()) {
			s.idle = append(s.idle, func() { db.whenIdle(f) })
			s.Pump()
			return
		}
	}
	f()
}

func (db *DB) stopLoop() {
	db.closed = true
	db.deafen()
	if db.cancel != nil {
		db.cancel()
		db.cancel = nil
	}
	if db.abort != nil {
		db.abort()
	}
	db.syncers, db.joined = append(db.syncers, db.joined...), nil
	db.finishSyncs(errClosed)
}

// Destroy deletes the local database. While it holds actions that the server does not have, of any stream, open or
// not, it fails with an unsent *Error and their number, unless
// forced; refused ones that nobody has dealt with count too. Nothing can be written meanwhile.
func (db *DB) Destroy(force bool, done func(unsent int, err error)) {
	if force {
		db.stopLoop()
		for _, s := range db.sorted() { // nothing is waited for: what is in flight goes down with the rest
			s.gone(errClosed)
		}
		db.destroy(done)
		return
	}
	db.leaving = true // first of all: what is written from here on would be lost
	db.whenIdle(func() {
		db.unsent(func(n int, err error) {
			if err == nil && n > 0 {
				err = action.Fail(action.CodeUnsent, "", "actions are there that the server does not have")
			}
			if err != nil {
				db.leaving = false
				done(n, err)
				return
			}
			db.stopLoop()
			db.whenClosed(func() { db.destroy(done) })
		})
	})
}

func (db *DB) destroy(done func(unsent int, err error)) {
	store := db.store
	db.host.Do(func() func() {
		err := store.Destroy(context.Background())
		return func() { done(0, err) }
	})
}

// unsent counts the actions of all local logs that are not in the server's. A log that cannot be read is an error: it
// is never taken for an empty one.
func (db *DB) unsent(done func(n int, err error)) {
	n := 0
	open := map[string]bool{}
	for _, s := range db.sorted() {
		if s.opened == nil {
			n += s.Unsent() + s.Refusals()
			open[s.Name()] = true
		}
	}
	store := db.store
	db.host.Do(func() func() {
		names, err := store.Streams(context.Background())
		for _, name := range names {
			if open[name] || err != nil {
				continue
			}
			var log locallog.Log
			if log, err = store.Load(context.Background(), name, 0); err != nil {
				break
			}
			var r *replica.Replica
			if r, err = replica.Read(name, 0, &log); err != nil {
				break
			}
			n += r.Unsent() + r.Refusals()
		}
		return func() { done(n, err) }
	})
}
