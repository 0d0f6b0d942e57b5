package core

import "context"

// Config is what a database is made of.
type Config struct {
	Host      Host
	Store     Store
	Transport Transport // nil: local only, pending actions wait
	User      string
	// NewClient makes the random id of a new local log.
	NewClient func() UUID
	// Retry and Idle are the pauses in milliseconds; 0 stands for the defaults.
	Retry, Idle int64
	// Hint tells other contexts that a stream's log has moved. It may be nil.
	Hint func(stream string)
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
	store     Store
	transport Transport
	user      string
	newClient func() UUID
	retry     int64
	idle      int64
	hintFunc  func(string)

	streams   map[string]*Stream
	closing   map[*Stream]bool // out of streams, not ended yet
	closed    bool
	lastAsked string // with more streams than one request may name, the next one begins after it

	running   bool   // a turn is under way
	again     string // why the next turn follows at once, or empty
	againHard bool   // it does so after a failure too
	cancel    func() // of the pause's timer
	nextAt    int64
	because   string
	cutIdle   bool // a new local action cuts the pause
	offline   bool // the browser said so, or no server was named
	batch     int  // actions offered at once; halved by a 413
	abort     context.CancelFunc
	syncers   []func(error)
}

// turnResult is what came of a turn.
type turnResult struct {
	asked      map[string]*Stream
	left       bool // streams were left out for the next one
	activity   bool
	err        error
	retryAfter int64
}

// NewDB makes a database. Nothing is read before a stream is opened.
func NewDB(c Config) *DB {
	db := &DB{host: c.Host, store: c.Store, transport: c.Transport, user: c.User, newClient: c.NewClient, retry: c.Retry, idle: c.Idle,
		hintFunc: c.Hint, streams: map[string]*Stream{}, closing: map[*Stream]bool{}, batch: MaxActions}
	if db.retry <= 0 {
		db.retry = DefaultRetry
	}
	if db.idle <= 0 {
		db.idle = DefaultIdle
	}
	return db
}

// Open reads a stream's local log, or makes it, and puts the stream into the loop. A stream that is open is given
// again by its name by Stream; opening it twice is the caller's error.
func (db *DB) Open(name string, observer Observer, opened func(*Stream, error)) {
	if bad := CheckStreamName(name); bad != "" {
		opened(nil, fail(CodeInvalid, "/name", bad))
		return
	}
	if db.closed {
		opened(nil, errClosed)
		return
	}
	s := &Stream{Replica: *newReplica(name), db: db, observer: observer, opened: opened}
	s.status.State = StateStarting
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
	sortBy(len(out), func(i, j int) bool { return out[i].name < out[j].name }, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// nextStreams lists the streams whose turn it is: those after the last one asked, in the order of their names.
func (db *DB) nextStreams() []*Stream {
	all := db.sorted()
	for i, s := range all {
		if s.name > db.lastAsked {
			return all[i:]
		}
	}
	return all
}

func (db *DB) hint(stream string) {
	if db.hintFunc != nil {
		db.hintFunc(stream)
	}
}

// Wake cuts any pause; because tells people why.
func (db *DB) Wake(because string) { db.wake(because, true) }

// Offline notes that the browser says it has no network. The streams show it at once; the loop goes on all the same,
// since the browser may be wrong.
func (db *DB) Offline() {
	db.offline = true
	db.setStates(db.streams, func(s *Stream) { s.status.State = StateOffline })
}

// Sync runs the loop now until nothing is left to fetch or persist, or it fails.
func (db *DB) Sync(done func(error)) {
	if db.closed {
		done(errClosed)
		return
	}
	if db.transport == nil {
		done(fail(CodeUnreachable, "", "no server was named"))
		return
	}
	db.syncers = append(db.syncers, done)
	db.wake("sync()", true)
}

// wake runs a turn soon. A new local action (hard is false) cuts the idle pause only, not the one after a failure.
func (db *DB) wake(because string, hard bool) {
	if db.transport == nil || db.closed {
		return
	}
	if db.running {
		if db.again == "" || hard && !db.againHard {
			db.again, db.againHard = because, hard
		}
		return
	}
	if !hard && db.cancel != nil && !db.cutIdle {
		return
	}
	db.schedule(0, because)
}

// schedule sets the pause.
func (db *DB) schedule(ms int64, because string) {
	if db.cancel != nil {
		db.cancel()
	}
	db.nextAt, db.because = db.host.Now()+ms, because
	db.cutIdle = ms == 0 || because == becauseIdle
	db.cancel = db.host.After(ms, func() {
		db.cancel = nil
		db.turn()
	})
}

// turn makes one request for all streams and lands its answer.
func (db *DB) turn() {
	if db.closed || db.running {
		return
	}
	var items []SyncItem
	asked := map[string]*Stream{}
	actions, bytes := db.batch, MaxRequestBytes*3/4
	opening, left := false, false
	for _, s := range db.nextStreams() {
		if s.opened != nil {
			opening = true
			continue
		}
		if s.closed || s.status.State == StateStopped {
			continue
		}
		if len(items) == MaxStreams {
			left = true
			break
		}
		most := actions
		if s.behind {
			most = 0
		}
		if s.unsure > 0 {
			most = min(most, s.unsure)
		}
		it := s.ask(most, bytes)
		actions -= len(it.Actions)
		for _, a := range it.Actions {
			bytes -= len(a)
		}
		items = append(items, it)
		asked[s.name] = s
		db.lastAsked = s.name
	}
	if !left {
		db.lastAsked = ""
	}
	if len(items) == 0 {
		db.nextAt, db.because = 0, ""
		if !opening { // else the one that opens runs the loop
			db.finishSyncs(nil)
		}
		return
	}
	db.running, db.again, db.againHard = true, "", false
	if !db.offline {
		db.setStates(asked, func(s *Stream) {
			if s.status.State != StateLive {
				s.status.State = StateSyncing
			}
		})
	}
	body := AppendSyncRequest(nil, items)
	ctx, abort := context.WithCancel(context.Background())
	db.abort = abort
	deadline := db.host.After(requestLimit, func() {
		abort()
	})
	db.host.Do(func() func() {
		text, retryAfter, err := db.transport.Sync(ctx, body)
		var answers []SyncAnswer
		if err == nil {
			if answers, err = DecodeSyncAnswer(view(text)); err != nil {
				err = &Error{Code: CodeBadAnswer, Message: "the answer is not the sync protocol's", Cause: err}
			}
		}
		return func() {
			deadline()
			abort()
			if err != nil {
				db.failed(err, items, asked)
				db.finish(turnResult{asked: asked, left: left, err: err, retryAfter: retryAfter})
				return
			}
			db.landAll(items, turnResult{asked: asked, left: left}, answers)
		}
	})
}

// failed takes note of a request that failed. After a 413 the batch is halved: one action alone always fits, so this
// ends. Where the server may have appended without our hearing of it, the same actions are offered again, and no others.
func (db *DB) failed(err error, items []SyncItem, asked map[string]*Stream) {
	switch CodeOf(err) {
	case CodeTooLarge:
		db.batch = max(1, db.batch/2)
	case CodeUnreachable, CodeTimeout, CodeBadAnswer, CodeInternal, CodeUnavailable:
		for i := range items {
			asked[items[i].Stream].unsure = len(items[i].Actions)
		}
	}
}

// landAll hands each stream its answer and waits until every one has committed it.
func (db *DB) landAll(items []SyncItem, result turnResult, answers []SyncAnswer) {
	left := 1
	done := func(activity bool, err error) {
		result.activity = result.activity || activity
		if err != nil && result.err == nil {
			result.err = err
		}
		if left--; left == 0 {
			db.finish(result)
		}
	}
	for i := range items {
		s := result.asked[items[i].Stream]
		answer := find(answers, items[i].Stream)
		if answer == nil {
			left++
			s.unsure = len(items[i].Actions)
			done(false, fail(CodeBadAnswer, "/streams", "the answer lacks a stream that was asked"))
			continue
		}
		if answer.Err != nil {
			left++
			s.unsure = len(items[i].Actions)
			done(false, s.itemFailed(answer.Err))
			continue
		}
		if s.closed {
			continue
		}
		left++
		s.status.LastSynced, s.unsure = db.host.Now(), 0
		s.behind = len(answer.Entries) > 0 && answer.Head > items[i].After+uint64(len(answer.Entries))
		s.landings = append(s.landings, &planned{item: items[i], answer: *answer, done: done})
		s.Pump()
	}
	done(false, nil)
}

func find(answers []SyncAnswer, stream string) *SyncAnswer {
	for i := range answers {
		if answers[i].Stream == stream {
			return &answers[i]
		}
	}
	return nil
}

// itemFailed sorts the errors that the server gives one stream: those that end it, and those that pass.
func (s *Stream) itemFailed(e *Error) error {
	switch e.Code {
	case CodeForbidden:
		s.stop("forbidden", e)
	case CodeUpgrade:
		s.stop("upgrade", e)
	case CodeEpoch, CodeClient, CodeMalformed:
		s.stop("", e)
	default:
		return e
	}
	return nil
}

// finish ends a turn: states, and the pause.
func (db *DB) finish(t turnResult) {
	db.running, db.abort = false, nil
	if db.closed {
		return
	}
	if t.err == nil {
		db.offline = false
		db.batch = min(MaxActions, db.batch*2)
	}
	ms, because := db.pauseAfter(t)
	if db.again != "" && (t.err == nil || db.againHard) {
		ms, because = 0, db.again
	}
	db.again, db.againHard = "", false
	db.schedule(ms, because)
	db.setStates(t.asked, func(s *Stream) {
		switch {
		case t.err == nil:
			s.status.State, s.status.Err = StateLive, nil
		case CodeOf(t.err) == CodeUnauthorized:
			s.status.State, s.status.Err = StateHeld, asError(t.err, CodeInternal)
		case db.offline:
			s.status.State, s.status.Err = StateOffline, asError(t.err, CodeUnreachable)
		default:
			s.status.State, s.status.Err = StateWaiting, asError(t.err, CodeUnreachable)
		}
	})
	if t.err != nil || !t.activity && !t.left && ms > 0 {
		db.finishSyncs(t.err)
	}
}

func (db *DB) finishSyncs(err error) {
	waiting := db.syncers
	db.syncers = nil
	for _, done := range waiting {
		done(err)
	}
}

// setStates sets the state of those of the streams that are open and not stopped.
func (db *DB) setStates(of map[string]*Stream, f func(*Stream)) {
	for _, s := range db.sorted() {
		if of[s.name] == s && s.opened == nil && s.status.State != StateStopped {
			f(s)
			s.statusChanged()
		}
	}
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

func (db *DB) stopLoop() {
	db.closed = true
	if db.cancel != nil {
		db.cancel()
		db.cancel = nil
	}
	if db.abort != nil {
		db.abort()
	}
	db.finishSyncs(errClosed)
}

// Destroy deletes the local database. While it holds actions that the server does not have, of any stream, open or
// not, it fails with an unsent *Error and their number, unless forced.
func (db *DB) Destroy(force bool, done func(unsent int, err error)) {
	if force {
		db.stopLoop()
		for _, s := range db.sorted() { // nothing is waited for: what is in flight goes down with the rest
			s.gone(errClosed)
		}
		db.destroy(done)
		return
	}
	db.unsent(func(n int, err error) {
		switch {
		case err != nil:
			done(0, err)
		case n > 0:
			done(n, fail(CodeUnsent, "", "actions are pending that the server does not have"))
		default:
			db.stopLoop()
			db.whenClosed(func() { db.destroy(done) })
		}
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
			n += len(s.pending) + len(s.uncommitted)
			open[s.name] = true
		}
	}
	store := db.store
	db.host.Do(func() func() {
		names, err := store.Streams(context.Background())
		for _, name := range names {
			if open[name] || err != nil {
				continue
			}
			var blobs [][]byte
			if blobs, err = store.Load(context.Background(), name, 0); err != nil {
				break
			}
			r := newReplica(name)
			for _, b := range blobs {
				rec, rerr := decodeRecord(b)
				if rerr == nil {
					_, rerr = r.follow([]*record{rec})
				}
				if err = rerr; err != nil {
					break
				}
			}
			n += len(r.pending)
		}
		return func() { done(n, err) }
	})
}
