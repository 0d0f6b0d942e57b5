package core

import (
	"context"
	"errors"
	"strings"
)

// Stream is one open action stream: its replica, the commits of its local log, and its part in the loop.
//
// At most one commit is in flight. Writes that come meanwhile are applied in memory and share the next record.
type Stream struct {
	Replica
	db       *DB
	observer Observer

	busy     bool // a commit or a read of the local log is under way
	stale    bool // another context may have committed: read the log before anything else
	closed   bool
	closing  []func()
	opened   func(*Stream, error)
	landings []*planned // answers that wait for the commit slot
	status   Status
	failures int // of the store, in a row
	unsure   int // how many actions a request offered whose outcome is unknown; nothing else is offered meanwhile

	ticket  uint64
	waiters []settledWaiter
	live    []*Live
}

// planned is an answer on its way into the local log.
type planned struct {
	item   SyncItem
	answer SyncAnswer
	done   func(activity bool, err error)
}

type settledWaiter struct {
	left map[UUID]bool
	done func()
}

// Observer hears what becomes of a stream's writes. It is called on the core's thread, at the end of each step, and
// must not call back into the stream.
type Observer interface {
	// Committed says that every write up to this ticket is durable in the local log.
	Committed(upTo uint64)
	// Failed says that these writes were not kept, and are taken back.
	Failed(tickets []uint64, err error)
	// Resolved says that an own action has its index, and whether it was discarded whole there.
	Resolved(ticket uint64, id UUID, index uint64, err error)
	// Refused says that the server refused an own action for good, or that it depends on such a one.
	Refused(ticket uint64, r Rejected)
	// Changed says that rows may have changed; Flush tells which live queries.
	Changed(remote bool)
	// StatusChanged says that Status may give something new.
	StatusChanged()
	// Closed says that the stream cannot be used any more, and why; nil after Close.
	Closed(err error)
}

// Client is this local log's client id.
func (s *Stream) Client() UUID { return s.log.client }

// Name is the stream's name.
func (s *Stream) Name() string { return s.name }

// Write applies a draft to the visible state at once and gives its ticket; the observer tells when it is durable. The
// host calls Pump before it goes back to its event loop: what is written until then shares one commit.
func (s *Stream) Write(d *Draft) (ticket uint64, err error) {
	if s.closed {
		return 0, errClosed
	}
	if s.status.Reason == "corrupt" {
		return 0, s.status.Err
	}
	if _, err := s.write(d, s.ticket+1); err != nil {
		return 0, err
	}
	s.ticket++
	s.observer.Changed(false)
	return s.ticket, nil
}

var errClosed = fail(CodeClosed, "", "the stream is closed")

// Pump starts what can be started: a read of the log, a commit of waiting writes, or of a turn.
func (s *Stream) Pump() {
	if s.busy || s.opened != nil {
		return
	}
	switch {
	case s.stale:
		s.load()
	case len(s.uncommitted) > 0:
		s.commit()
	case len(s.landings) > 0:
		s.land()
	case s.closed:
		for _, f := range s.closing {
			f()
		}
		s.closing = nil
	}
}

// commit appends the record of the waiting writes.
func (s *Stream) commit() {
	record, n := s.commitRecord()
	upTo := s.uncommitted[n-1].ticket
	s.append(record, func() {
		s.committed(n)
		s.observer.Committed(upTo)
		s.statusChanged()
		s.db.hint(s.name)
		s.db.wake(becauseWrite, false)
	}, nil)
}

// land turns the oldest waiting answer into a record.
func (s *Stream) land() {
	l := s.landings[0]
	s.landings = s.landings[1:]
	if s.closed {
		l.done(false, nil)
		s.Pump()
		return
	}
	p, err := s.planTurn(&l.item, &l.answer)
	if err != nil || p.record == nil {
		if p.upgrade {
			s.stop("upgrade", fail(CodeUpgrade, "", "the log holds an action that this version does not know"))
		}
		l.done(false, err)
		s.Pump()
		return
	}
	s.append(p.record, func() {
		land, err := s.follow([]*record{p.turn})
		if err != nil {
			s.stop("corrupt", err)
		}
		s.tell(&land, true)
		if p.upgrade {
			s.stop("upgrade", fail(CodeUpgrade, "", "the log holds an action that this version does not know"))
		}
		s.db.hint(s.name)
		l.done(true, nil)
	}, func() { l.done(true, nil) })
}

// append commits one record against the log as it is known now. then runs when it is durable; lost when it is not and
// was no local write, so that it is dropped.
func (s *Stream) append(record []byte, then, lost func()) {
	s.busy = true
	lsn := s.next
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		err := store.Append(context.Background(), name, lsn, record)
		return func() {
			s.busy = false
			switch {
			case err == nil:
				s.failures = 0
				then()
			case errors.Is(err, ErrLost):
				s.stale = true
				if lost != nil {
					lost()
				}
			case CodeOf(err) == CodeQuota:
				s.observer.Failed(s.abandon(), err)
				s.observer.Changed(false)
				if lost != nil {
					lost()
				}
			case CodeOf(err) == CodeClosed:
				s.gone(err)
				if lost != nil {
					lost()
				}
				return
			default:
				s.unknown(lsn, record, then, lost, err)
				return
			}
			s.Pump()
		}
	})
}

// unknown settles a commit whose outcome is not known: what the log holds at its lsn tells.
func (s *Stream) unknown(lsn LSN, record []byte, then, lost func(), cause error) {
	s.busy = true
	s.storageFailed(cause)
	s.db.host.After(s.backoff(), func() {
		store, name := s.db.store, s.name
		s.db.host.Do(func() func() {
			records, err := store.Load(context.Background(), name, lsn)
			return func() {
				switch {
				case err != nil && CodeOf(err) == CodeClosed:
					s.busy = false
					s.gone(err)
				case err != nil:
					s.unknown(lsn, record, then, lost, err)
				case len(records) > 0 && string(records[0]) == string(record):
					s.busy, s.failures = false, 0
					s.storageRecovered()
					then()
					s.stale = len(records) > 1
					s.Pump()
				default:
					s.busy, s.failures = false, 0
					s.storageRecovered()
					s.stale = len(records) > 0
					if lost != nil {
						lost()
					}
					s.Pump()
				}
			}
		})
	})
}

func (s *Stream) backoff() int64 {
	s.failures++
	return min(100<<min(s.failures, 6), s.db.retry)
}

func (s *Stream) storageFailed(err error) {
	s.status.Err = asError(err, CodeStorage)
	s.statusChanged()
}

func (s *Stream) storageRecovered() {
	if s.status.Err != nil && s.status.State != StateStopped {
		s.status.Err = nil
		s.statusChanged()
	}
}

// load reads the records that other contexts have committed, and at start-up all of them.
func (s *Stream) load() {
	s.busy, s.stale = true, false
	store, name, from := s.db.store, s.name, s.next
	s.db.host.Do(func() func() {
		blobs, err := store.Load(context.Background(), name, from)
		var records []*record
		for _, b := range blobs {
			var r *record
			if err != nil {
				break
			}
			if r, err = decodeRecord(b); err == nil {
				records = append(records, r)
			}
		}
		return func() { s.loaded(records, err) }
	})
}

func (s *Stream) loaded(records []*record, err error) {
	if s.opened != nil {
		s.loadedFirst(records, err)
		return
	}
	var land landing
	if err == nil {
		land, err = s.follow(records)
	}
	s.busy = false
	switch {
	case err == nil:
		s.storageRecovered()
		if len(records) > 0 {
			s.tell(&land, true)
			s.db.wake(becauseWrite, false)
		}
	case CodeOf(err) == CodeClosed:
		s.gone(err)
		return
	case CodeOf(err) == CodeCorrupt || CodeOf(err) == CodeUpgrade:
		s.stop(CodeOf(err), err)
		return
	default: // a failed read says nothing: ask again
		s.storageFailed(err)
		s.busy, s.stale = true, true
		s.db.host.After(s.backoff(), func() { s.busy = false; s.Pump() })
		return
	}
	s.Pump()
}

// loadedFirst goes on with opening: an empty log is begun, any other is folded.
func (s *Stream) loadedFirst(records []*record, err error) {
	switch {
	case err != nil:
	case len(records) == 0:
		s.found()
		return
	case records[0].kind != recordInit:
		err = fail(CodeCorrupt, "", "a local log does not begin with record 0")
	default:
		_, err = s.follow(records)
	}
	s.busy = false
	s.finishOpen(err)
}

// found writes record 0 of a log that does not exist yet. Another context may be first: then its log is read.
func (s *Stream) found() {
	init := initRecord{log: s.db.host.NewID(), client: s.db.newClient(), user: s.db.user}
	blob := encodeInit(init)
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		err := store.Append(context.Background(), name, 0, blob)
		return func() {
			s.busy = false
			if err == nil || errors.Is(err, ErrLost) || CodeOf(err) == CodeStorage && s.failures < 3 {
				if err != nil {
					s.failures++
				}
				s.load() // read back what is there: ours, or another context's
				return
			}
			s.finishOpen(err)
		}
	})
}

func (s *Stream) finishOpen(err error) {
	opened := s.opened
	s.opened = nil
	if err == nil && s.log.user != s.db.user {
		err = fail(CodeInvalid, "/user", "this local log belongs to another user")
	}
	if err != nil {
		s.closed = true
		delete(s.db.streams, s.name)
		opened(nil, err)
		return
	}
	s.status.State = StateOffline
	s.statusChanged()
	opened(s, nil)
	s.db.wake(becauseStart, true)
}

// Refresh reads what other contexts have committed; a hint calls for it.
func (s *Stream) Refresh() {
	s.stale = true
	s.Pump()
}

// tell passes on what a landing did to own actions.
func (s *Stream) tell(land *landing, remote bool) {
	for _, o := range land.resolved {
		var err error
		if o.discarded {
			err = fail(CodeConflict, "", "the action was discarded where it reached the log: "+string(o.reason))
		}
		s.observer.Resolved(o.ticket, o.id, o.index, err)
		s.settle(o.id)
	}
	for _, r := range land.rejected {
		s.observer.Refused(r.ticket, r)
		s.settle(r.ID)
	}
	s.observer.Changed(remote)
	s.statusChanged()
}

// OnSettled calls done once all that is pending or uncommitted now is in the log or refused.
func (s *Stream) OnSettled(done func()) {
	w := settledWaiter{left: map[UUID]bool{}, done: done}
	for _, queue := range [2][]*local{s.pending, s.uncommitted} {
		for _, l := range queue {
			w.left[l.ID] = true
		}
	}
	if len(w.left) == 0 {
		done()
		return
	}
	s.waiters = append(s.waiters, w)
}

func (s *Stream) settle(id UUID) {
	kept := s.waiters[:0]
	for _, w := range s.waiters {
		if delete(w.left, id); len(w.left) == 0 {
			w.done()
			continue
		}
		kept = append(kept, w)
	}
	s.waiters = kept
}

// Close lets what is written become durable, then ends the stream. Pending actions stay in the local log.
func (s *Stream) Close(done func()) {
	if s.closed && !s.busy {
		done()
		return
	}
	s.closed = true
	delete(s.db.streams, s.name)
	s.closing = append(s.closing, func() { s.observer.Closed(nil); done() })
	s.Pump()
}

// gone ends a stream whose local log was destroyed under it.
func (s *Stream) gone(err error) {
	if s.closed && s.closing == nil {
		return
	}
	s.closed = true
	delete(s.db.streams, s.name)
	var lost []uint64
	for _, l := range s.uncommitted {
		lost = append(lost, l.ticket)
	}
	s.uncommitted = nil
	if len(lost) > 0 {
		s.observer.Failed(lost, err)
	}
	for _, l := range s.landings {
		l.done(false, nil)
	}
	s.landings = nil
	s.observer.Closed(err)
	for _, f := range s.closing {
		f()
	}
	s.closing = nil
}

// stop takes the stream out of the loop for good; reading goes on.
func (s *Stream) stop(reason string, err error) {
	s.status.State, s.status.Reason, s.status.Err = StateStopped, reason, asError(err, CodeInternal)
	s.statusChanged()
}

func (s *Stream) statusChanged() { s.observer.StatusChanged() }

// Status is the stream's state now.
func (s *Stream) Status() Status {
	st := s.status
	st.Head, st.Pending, st.Rejected = s.state.Head, len(s.pending)+len(s.uncommitted), len(s.rejected)
	if st.State != StateStopped {
		st.NextAt, st.Because = s.db.nextAt, s.db.because
	}
	return st
}

// AppendPending writes the actions that are not in the log yet as a JSON array, in order; those that name the object,
// where one is given. The seq of one that is not in the local log yet is null.
func (s *Stream) AppendPending(dst []byte, object *UUID) []byte {
	dst = append(dst, '[')
	first := true
	for i, queue := range [2][]*local{s.pending, s.uncommitted} {
		for _, l := range queue {
			if object != nil && !l.names(*object) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if committed := i == 0; committed {
				dst = append(dst, l.Raw...)
				continue
			}
			dst = append(dst, l.Raw[:strings.LastIndexByte(l.Raw, ':')+1]...)
			dst = append(dst, "null}"...)
		}
	}
	return append(dst, ']')
}

func (l *local) names(object UUID) bool {
	for i := range l.Ops {
		if l.Ops[i].Object == object {
			return true
		}
	}
	return false
}

// IsPending tells whether a pending or uncommitted action names the object.
func (s *Stream) IsPending(object UUID) bool { return s.touching[object] > 0 }

func asError(err error, code string) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: code, Cause: err}
}
