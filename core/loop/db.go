package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// DefaultCompact is how many bytes of records are worth a local checkpoint.
const DefaultCompact = 256 << 10

// Config is what a database is made of.
type Config struct {
	Sources plan.Sources
	User    string
	// Alone says that no server was named: pending actions wait.
	Alone bool
	// Retry and Idle are the pauses in milliseconds; 0 stands for the defaults.
	Retry, Idle int64
	// Compact is how many bytes of records are worth a local checkpoint; 0 stands for DefaultCompact.
	Compact int
	// Schema is the version of the app's code: servers may take actions of newer code alone. 0: none.
	Schema int
	// Shared says that other contexts may have the database open, and hear what this one tells.
	Shared bool
	// Slots says that the host can give contexts their turns to write.
	Slots bool
	// Elect says that other contexts may lead: this one follows until it is led.
	Elect bool
	// Slice is how many units of work a step does at most; 0 stands for pace.Slice.
	Slice int
	// Unshown says that nobody reads what is shown beside the local logs.
	Unshown bool
	// Refuge says that what is open goes on in a store in memory if the database is taken away under it: Lost. Else the streams are
	// closed then.
	Refuge bool
}

// DB is one local database: its open streams, and the loop that keeps them in step with the server.
//
// The loop, once for all streams:
//
//	turn:  ask the server about every stream: entries after its head, else take these pending actions
//	       commit what came as one record each; unapply pending, apply the new entries, apply what is still pending
//	pause: 5 s after a network failure; 60 s when nothing was fetched or persisted; none after activity
type DB struct {
	own          journal.Profile // what its streams have in common
	alone, elect bool
	schema       int   // the version of the app's code
	idle         int64 // the pause when nothing is to do, in milliseconds

	late    []plan.Event // that wait for the step under way
	streams map[string]*member
	known   map[plan.StreamID]*member // those that have not ended
	lastID  plan.StreamID
	ending  ending

	turn    turn // of the action streams
	work    work // of the data streams
	pause   pause
	line    line
	offline bool // the browser said so
	word    int  // how often it did
	leader  leader
	hints   hints
	durable map[plan.Entry]bool // entries of data streams that the server has
	trace   plan.WakeUps
	current plan.WakeUp // the turn under way
}

// New makes a database. Nothing is read before a stream is opened.
func New(c Config) *DB {
	db := &DB{alone: c.Alone, elect: c.Elect, schema: c.Schema, idle: c.Idle,
		streams: map[string]*member{}, known: map[plan.StreamID]*member{},
		line: line{room: usualRoom, limit: protocol.MaxEntries, bytes: mostBytes}}
	if c.Slice <= 0 {
		c.Slice = pace.Slice
	}
	db.own = journal.Profile{Draft: plan.NewDraft(c.Sources), Pace: pace.New(c.Slice), User: c.User, Retry: c.Retry, Compact: c.Compact,
		Shared: c.Shared, Slots: c.Slots, Refuge: c.Refuge, Unshown: c.Unshown}
	if db.own.Retry <= 0 {
		db.own.Retry = DefaultRetry
	}
	if db.idle <= 0 {
		db.idle = DefaultIdle
	}
	if db.own.Compact <= 0 {
		db.own.Compact = DefaultCompact
	}
	db.leads(!c.Elect)
	db.leader.heardAt = db.own.Now()
	return db
}

// Stream is the open action stream of that name, or nil.
func (db *DB) Stream(name string) *Stream {
	if m := db.streams[name]; m != nil {
		s, _ := m.kind.(*Stream)
		return s
	}
	return nil
}

// sorted lists the streams by name: the core does nothing in the order of a map.
func (db *DB) sorted() []*member {
	out := make([]*member, 0, len(db.streams))
	for _, m := range db.streams {
		out = append(out, m)
	}
	action.SortBy(len(out), func(i, j int) bool { return out[i].name < out[j].name },
		func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// all lists those, too, that were closed and have not ended, in the order in which they were opened.
func (db *DB) all() []*member {
	out := make([]*member, 0, len(db.known))
	for _, m := range db.known {
		out = append(out, m)
	}
	action.SortBy(len(out), func(i, j int) bool { return out[i].id < out[j].id }, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Where is the store that it keeps its local logs in.
func (db *DB) Where() plan.StoreName { return db.own.Where }
