//go:build js && wasm

package idbstore

import (
	"bytes"
	"context"
	"slices"
	"syscall/js"
	"time"

	"github.com/google/uuid"
	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

const (
	records   = "records"
	meta      = "meta"
	lifeKey   = "life"   // in meta: a random id made with the database
	formatKey = "format" // in meta: of what is stored; absent counts as 1. A newer version's is refused before anything is written

	// openLimit ends the wait for an open that the browser never answers.
	openLimit = 8 * time.Second
	// deleteLimit ends the wait for a deletion that another context blocks; the browser goes on with it by itself.
	deleteLimit = 2 * time.Second
	// answerLimit ends the wait for a transaction: Chromium forgets those that begin while it closes the connection by force. What became of
	// one is not known then.
	answerLimit = time.Minute
)

// Options say how to store.
type Options struct {
	// Strict flushes each commit to the disk; else the browser's default counts, which survives everything but power loss.
	Strict bool
	// Limit is how long the browser may take to open it; 0 stands for eight seconds.
	Limit time.Duration
	// Append is the function of append.js.
	Append js.Value
	// Yield calls a function in another task; nil: what is read and written is converted in one.
	Yield func(f func()) (cancel func())
	// Frame gives another IDBFactory of the same origin, or null: asked where the browser has lost what serves this page's. It may be nil.
	Frame func() js.Value
}

// Store implements locallog.Store.
type Store struct {
	name       string
	durability idb.TransactionDurability
	factory    *idb.Factory
	frame      func() js.Value
	yield      func(f func()) (cancel func())
	limit      time.Duration // of an open
	answer     time.Duration // of a transaction
	indexedDB  js.Value      // behind the factory
	db         *idb.Database
	raw        js.Value      // behind db
	opening    chan struct{} // closed when the reopening that is under way is over; nil where none is
	life       string        // the database's; one that was deleted and made again has another
	closed     bool
	frozen     bool
	live       map[aborter]bool // begun and not ended
	lost       js.Func          // told when the browser has closed the connection
	appends    *appends
}

var _ locallog.Store = (*Store)(nil)

var errClosed = &action.Error{Code: action.CodeClosed, Message: "the store is closed"}

// Open opens the database, or makes it.
func Open(ctx context.Context, name string, o Options) (*Store, error) {
	s := &Store{name: name, frame: o.Frame, yield: o.Yield, limit: o.Limit, answer: answerLimit, durability: idb.DurabilityRelaxed, live: map[aborter]bool{}}
	if s.limit == 0 {
		s.limit = openLimit
	}
	if o.Strict {
		s.durability = idb.DurabilityStrict
	}
	s.lost = js.FuncOf(func(js.Value, []js.Value) any {
		s.forget()
		return nil
	})
	if err := s.open(ctx); err != nil {
		s.lost.Release()
		return s, err
	}
	s.appends = newAppends(o.Append)
	return s, nil
}

// open connects. Where the browser has lost what serves this page's databases (WebKit does, until the page is loaded anew), a frame of
// the same origin has a factory that works.
func (s *Store) open(ctx context.Context) error {
	if s.factory == nil {
		indexedDB := js.Global().Get("indexedDB")
		if !indexedDB.Truthy() {
			return &action.Error{Code: action.CodeStorage, Message: "this context has no IndexedDB; open takes storage: \"memory\""}
		}
		renewLog(indexedDB)
		s.factory, s.indexedDB = idb.Global(), indexedDB
	}
	db, raw, err := s.connect(ctx)
	if s.frame != nil && frameMayHelp(err) {
		if other := s.frame(); other.Truthy() {
			was, wasDB := s.factory, s.indexedDB
			if s.factory, err = idb.WrapFactory(other); err == nil {
				s.indexedDB = other
				db, raw, err = s.connect(ctx)
			}
			if err != nil {
				s.factory, s.indexedDB = was, wasDB
			}
		}
	}
	if err == error(locallog.ErrGone) {
		s.closed = true
		s.appends.end()
		return err
	}
	if err != nil {
		return mapError("open the database", err)
	}
	life, err := readLife(ctx, db)
	if err != nil {
		_ = db.Close()
		return mapError("open the database", err)
	}
	if s.closed {
		_ = db.Close()
		return errClosed
	}
	if s.life != "" && s.life != life {
		s.closed = true
		s.appends.end()
		_ = db.Close()
		return locallog.ErrGone
	}
	s.leave()
	s.db, s.raw, s.life = db, raw, life
	raw.Call("addEventListener", "close", s.lost)
	return nil
}

// leave hears nothing more of a connection.
func (s *Store) leave() {
	if s.raw.Truthy() {
		s.raw.Call("removeEventListener", "close", s.lost)
	}
}

// forget ends what is under way: Chromium forgets what has begun while it closes a connection by force, and tells nobody its end. What became
// of it is learned by reading, as ever. (append.js does so by itself.)
func (s *Store) forget() {
	for tx := range s.live {
		if t, ok := tx.(*transaction); ok {
			t.cancel()
		}
	}
}

// reopen gets another connection in the place of a broken one: once, however many ask for it at the same time. A second one would be left open, and
// the database could not be deleted.
func (s *Store) reopen(ctx context.Context, broken *idb.Database) error {
	for s.db == broken && !s.closed {
		if s.opening == nil {
			s.opening = make(chan struct{})
			err := s.open(ctx)
			close(s.opening)
			s.opening = nil
			return err
		}
		select {
		case <-s.opening:
		case <-ctx.Done():
			return mapError("open the database", ctx.Err())
		}
	}
	if s.closed {
		return errClosed
	}
	return nil
}

// connect opens the database: the driver's, and what is behind it.
func (s *Store) connect(ctx context.Context) (*idb.Database, js.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	none := js.Undefined()
	opening, err := try(func() js.Value { return s.indexedDB.Call("open", s.name, Schema) })
	if err != nil {
		return nil, none, err
	}
	given := js.FuncOf(func(js.Value, []js.Value) any { return opening })
	defer given.Release()
	factory, err := idb.WrapFactory(js.ValueOf(map[string]any{"open": given}))
	if err != nil {
		return nil, none, err
	}
	var failed error                         // in the driver's hands it would be a panic
	background := context.WithoutCancel(ctx) // an answer that comes late is still listened to
	req, err := factory.Open(background, s.name, Schema, func(db *idb.Database, old, _ uint) error {
		if s.life != "" && old == 0 { // it was deleted: made anew it would be there for ever, and nobody's
			failed = locallog.ErrGone
			opening.Get("transaction").Call("abort")
			return nil
		}
		for _, name := range [...]string{records, meta} {
			if _, err := db.CreateObjectStore(name, idb.ObjectStoreOptions{}); err != nil && failed == nil {
				failed = err
			}
		}
		return nil
	})
	if err != nil {
		return nil, none, err
	}
	db, err := req.Await(ctx)
	switch {
	case ctx.Err() != nil && (db == nil || err == nil): // a cancelled Await gives no error
		_ = req.ListenSuccess(background, func() { // nobody waits for it, and it would be in the way of whoever deletes the database
			if db, err := req.Result(); err == nil {
				_ = db.Close()
			}
		})
		return nil, none, &action.Error{Code: action.CodeStorage, Message: "the browser does not open the database", Cause: ctx.Err()}
	case err != nil && failed == nil:
		return nil, none, err
	case failed != nil:
		if err == nil {
			_ = db.Close()
		}
		return nil, none, failed
	}
	raw := opening.Get("result")
	db, err = s.whole(ctx, db)
	return db, raw, err
}

// whole gives a database that has its object stores. One that was half made holds nothing, and is made anew.
func (s *Store) whole(ctx context.Context, db *idb.Database) (*idb.Database, error) {
	names, err := db.ObjectStoreNames()
	if err != nil || slices.Contains(names, records) && slices.Contains(names, meta) {
		return db, err
	}
	_ = db.Close()
	req, err := s.factory.DeleteDatabase(s.name)
	if err != nil {
		return nil, err
	}
	if err := req.Await(ctx); err != nil {
		return nil, err
	}
	return nil, &action.Error{Code: action.CodeStorage, Message: "the database was half made"}
}

// Life is the id that the database was made with: one that was deleted and made again has another.
func (s *Store) Life() string { return s.life }

// readLife reads the database's id, and gives one to a database that has just been made.
func readLife(ctx context.Context, db *idb.Database) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	life, of, err := readMeta(ctx, db)
	if err == nil && life.IsUndefined() {
		if err = writeLife(ctx, db); err == nil {
			life, of, err = readMeta(ctx, db) // another context may have been first
		}
	}
	switch {
	case err != nil:
		return "", err
	case ctx.Err() != nil:
		return "", &action.Error{Code: action.CodeStorage, Message: "the browser does not answer", Cause: ctx.Err()}
	case of.Type() == js.TypeNumber && of.Int() > Format:
		return "", &action.Error{Code: action.CodeUpgrade, Message: "the local database is of a newer version: load the newer app"}
	case life.Type() != js.TypeString:
		return "", &action.Error{Code: action.CodeCorrupt, Message: "the database lacks its id"}
	}
	return life.String(), nil
}

func readMeta(ctx context.Context, db *idb.Database) (life, of js.Value, err error) {
	tx, err := db.Transaction(idb.TransactionReadOnly, meta)
	if err != nil {
		return life, of, err
	}
	store, err := tx.ObjectStore(meta)
	if err != nil {
		return life, of, err
	}
	var requests [2]*idb.Request
	for i, key := range [...]string{lifeKey, formatKey} {
		if requests[i], err = store.Get(js.ValueOf(key)); err != nil {
			return life, of, err
		}
	}
	if err = tx.Await(ctx); err == nil && ctx.Err() == nil {
		if life, err = requests[0].Result(); err == nil {
			of, err = requests[1].Result()
		}
	}
	return life, of, err
}

// writeLife adds the id where there is none: of two contexts one fails, and finds the other's.
func writeLife(ctx context.Context, db *idb.Database) error {
	tx, err := db.Transaction(idb.TransactionReadWrite, meta)
	if err != nil {
		return err
	}
	store, err := tx.ObjectStore(meta)
	if err == nil {
		_, err = store.AddKey(js.ValueOf(lifeKey), js.ValueOf(uuid.NewString()))
	}
	if err == nil {
		_, err = store.AddKey(js.ValueOf(formatKey), js.ValueOf(Format))
	}
	if err != nil {
		_ = tx.Abort()
		return err
	}
	if err = tx.Await(ctx); err != nil && domName(err) == "ConstraintError" {
		return nil
	}
	return err
}

// mayAppend looks at the first two keys from lsn-1 on: exactly lsn-1 must be there.
func mayAppend(found []js.Value, lsn locallog.LSN) error {
	switch {
	case lsn == 0 && len(found) == 0:
		return nil
	case lsn == 0:
		return locallog.ErrLost
	case len(found) == 0:
		return locallog.ErrGone
	case len(found) == 1 && lsnOf(found[0]) == lsn-1:
		return nil
	}
	return locallog.ErrLost
}

func lsnOf(key js.Value) locallog.LSN { return locallog.LSN(key.Index(1).Float()) }

// guessed is how many records a catch-up asks for before it knows that they are there.
const guessed = 4

// catchUp reads the records from an lsn on, where they are few. It says false where they are not, or the one before is gone.
func (s *Store) catchUp(ctx context.Context, stream string, from locallog.LSN) (out [][]byte, there bool, err error) {
	tx, err := s.begin(ctx, idb.TransactionReadOnly, records)
	if err != nil {
		return nil, false, err
	}
	defer tx.end()
	ctx = tx.ctx
	all, err := keysFrom(stream, from-1)
	if err != nil {
		return nil, false, err
	}
	keys, err := tx.records.GetAllKeysRange(all, 0)
	if err != nil {
		return nil, false, err
	}
	// Requests are answered in their order: when the last one is, the keys are too.
	first, err := tx.values(ctx, tx.records, guessed, func(i int) (js.Value, error) { return key(stream, from+locallog.LSN(i)), nil })
	if err != nil {
		return nil, false, err
	}
	found, err := keys.Result()
	if err != nil || len(found) == 0 || lsnOf(found[0]) != from-1 {
		return nil, false, err
	}
	found = found[1:]
	for i, k := range found {
		if lsnOf(k) != from+locallog.LSN(i) {
			return nil, false, errHole
		}
	}
	if len(found) > guessed {
		return nil, false, nil
	}
	return first[:len(found)], true, nil
}

var errHole = &action.Error{Code: action.CodeCorrupt, Message: "the local log has a hole"}

// Load implements locallog.Store.
func (s *Store) Load(ctx context.Context, stream string, from locallog.LSN) (out locallog.Log, err error) {
	const op = "read the log"
	if from > 0 {
		records, there, err := s.catchUp(ctx, stream, from)
		if err != nil || there {
			return locallog.Log{Records: records}, mapError(op, err)
		}
		if out, there, err = s.logFrom(ctx, stream, from); err != nil || there {
			return out, mapError(op, err)
		}
	}
	out, _, err = s.logFrom(ctx, stream, 0)
	if err == nil && from > 0 && out.Manifest == nil {
		return out, locallog.ErrGone
	}
	return out, mapError(op, err)
}

// Manifest implements locallog.Store.
func (s *Store) Manifest(ctx context.Context, stream string) ([]byte, error) {
	tx, err := s.begin(ctx, idb.TransactionReadOnly, meta)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	ctx = tx.ctx
	one, err := tx.values(ctx, tx.meta, 1, func(int) (js.Value, error) { return manifestKey(stream), nil })
	if err != nil {
		return nil, mapError("read the manifest", err)
	}
	return one[0], nil
}

// Pages implements locallog.Store.
func (s *Store) Pages(ctx context.Context, stream string, names []string) ([][]byte, error) {
	tx, err := s.begin(ctx, idb.TransactionReadOnly, meta)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	pages, err := tx.values(tx.ctx, tx.meta, len(names), func(i int) (js.Value, error) { return pageKey(stream, names[i]), nil })
	if err != nil {
		return nil, mapError("read pages", err)
	}
	for i := range pages {
		if pages[i] == nil {
			return nil, locallog.ErrLost
		}
	}
	return pages, nil
}

// Checkpoint implements locallog.Store.
func (s *Store) Checkpoint(ctx context.Context, stream string, c *locallog.Checkpoint) error {
	const op = "store a checkpoint"
	// What is written is converted first: a transaction that waits for another task is over.
	values, rows, breath := make([]js.Value, len(c.Pages)), make([]js.Value, len(c.Pages)), s.breath()
	for i := range c.Pages {
		values[i] = toJS(c.Pages[i].Bytes)
		if text := c.Pages[i].Rows; text != "" {
			rows[i] = js.ValueOf(text)
		}
		if err := breath.take(); err != nil {
			return err
		}
	}
	manifest, spare := toJS(c.Manifest), toJS(c.Spare)
	at, needed := c.LSN, 1
	var record js.Value
	if c.Record != nil {
		at, needed, record = c.LSN-1, 2, toJS(c.Record)
	}
	from, err := keysFrom(stream, at)
	if err != nil {
		return mapError(op, err)
	}
	below := js.Global().Get("IDBKeyRange").Call("bound", js.ValueOf([]any{stream, -1}), key(stream, c.LSN), false, true) // Delete takes ranges too
	tx, err := s.begin(ctx, idb.TransactionReadWrite, records, meta)
	if err != nil {
		return err
	}
	defer tx.end()
	ctx = tx.ctx
	base, err := tx.meta.Get(manifestKey(stream))
	if err != nil {
		return mapError(op, err)
	}
	keys, err := tx.records.GetAllKeysRange(from, uint(needed))
	if err != nil {
		return mapError(op, err)
	}
	// Requests are answered in their order: when the second is, both are.
	return tx.guarded(ctx, op, keys, func() error {
		stored, err := toGo(base)
		if action.CodeOf(err) == action.CodeCorrupt { // no bytes at all: a repair is built on none
			stored, err = nil, nil
		}
		if err != nil {
			return err
		}
		found, err := keys.Result()
		if err != nil {
			return err
		}
		if !bytes.Equal(stored, c.Base) {
			return locallog.ErrLost
		}
		if c.Record != nil {
			return mayAppend(found, c.LSN)
		}
		if len(found) == 0 || lsnOf(found[0]) != c.LSN {
			return locallog.ErrLost
		}
		return nil
	}, func() error {
		if c.Record != nil {
			if _, err := tx.records.AddKey(key(stream, c.LSN), record); err != nil {
				return err
			}
		}
		for i := range c.Pages {
			if _, err := tx.meta.AddKey(pageKey(stream, c.Pages[i].Name), values[i]); err != nil {
				return err
			}
		}
		if c.Spare != nil {
			if _, err := tx.meta.PutKey(pageKey(stream, locallog.SpareName), spare); err != nil {
				return err
			}
		}
		for _, name := range c.Drop {
			if _, err := tx.meta.Delete(pageKey(stream, name)); err != nil {
				return err
			}
		}
		if err := tx.showCheckpoint(stream, c, rows); err != nil {
			return err
		}
		if _, err := tx.meta.PutKey(manifestKey(stream), manifest); err != nil {
			return err
		}
		_, err := tx.records.Delete(below)
		return err
	})
}

// Streams implements locallog.Store.
func (s *Store) Streams(ctx context.Context) ([]string, error) {
	tx, err := s.begin(ctx, idb.TransactionReadOnly, records)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	ctx = tx.ctx
	req, err := tx.records.GetAllKeys()
	if err != nil {
		return nil, mapError("list the streams", err)
	}
	keys, err := req.Await(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, mapError("list the streams", err)
	}
	var names []string
	for _, k := range keys {
		names = append(names, k.Index(0).String())
	}
	return slices.Compact(names), nil
}

// Freeze ends what is under way, at once, and begins nothing more until Thaw: a page that is frozen in the middle of a
// transaction would hold up every other one that has the database open. What was ended has an outcome to be learned by
// reading, as ever.
func (s *Store) Freeze() {
	s.frozen = true
	for tx := range s.live {
		_ = tx.Abort() // one that has just ended cannot be
	}
}

// Thaw ends it.
func (s *Store) Thaw() { s.frozen = false }

// Close implements locallog.Store.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.appends.end()
	s.leave()
	s.lost.Release()
	return mapError("close the database", s.db.Close())
}
