package loop

import (
	"context"
	"errors"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/replica"
)

// load reads the records that other contexts have committed, and at start-up all of them.
func (s *Stream) load() {
	s.busy, s.stale = true, false
	store, name, keep, from := s.db.store, s.Name(), s.options.Conflicts, s.NextLSN()
	s.db.host.Do(func() func() {
		log, err := store.Load(context.Background(), name, from)
		if err == nil && (from == 0 || log.Manifest != nil) {
			var anew *replica.Replica
			if len(log.Records) > 0 || log.Manifest != nil {
				anew, err = replica.Read(name, keep, &log)
			}
			return func() { s.loadedAnew(anew, err) }
		}
		var records []*replica.Record
		if err == nil {
			records, err = replica.DecodeRecords(log.Records)
		}
		return func() { s.loaded(records, err) }
	})
}

// loadedAnew goes on with a replica that was read from the beginning: at the opening, or because a checkpoint of another
// context has taken the place of the records that come next here. nil is an empty log.
func (s *Stream) loadedAnew(r *replica.Replica, err error) {
	switch {
	case s.opened != nil && r == nil && err == nil:
		s.found()
	case s.opened != nil:
		if err == nil && r.NextLSN() == 0 {
			err = action.Fail(action.CodeCorrupt, "", "a local log does not begin with record 0")
		}
		if err == nil {
			s.Replica = r
		}
		s.busy = false
		s.finishOpen(err)
	case err != nil:
		s.loaded(nil, err)
	case r.LogID() != s.LogID():
		s.loaded(nil, locallog.ErrGone)
	default:
		if s.busy = false; s.ended {
			return
		}
		s.read = true
		s.adopt(r)
		s.storageRecovered()
		s.db.wake(becauseWrite, false)
		s.Pump()
	}
}

// loaded goes on with the records that follow this replica's last one.
func (s *Stream) loaded(records []*replica.Record, err error) {
	if s.opened != nil {
		s.busy = false
		s.finishOpen(err)
		return
	}
	s.busy = false
	if s.ended {
		return
	}
	unreadable := err != nil && (action.CodeOf(err) == action.CodeCorrupt || action.CodeOf(err) == action.CodeUpgrade)
	if len(records) > 0 && (err == nil || unreadable) { // what comes before an unreadable record counts
		land, ferr := s.Follow(records)
		if ferr != nil {
			err, unreadable = ferr, true
		}
		s.tell(&land, true)
		s.db.wake(becauseWrite, false)
	}
	switch {
	case err == nil:
		s.read = true
		s.storageRecovered()
		s.weigh()
	case s.takeRefuge(err, func() { s.read = true }):
		return
	case action.CodeOf(err) == action.CodeClosed:
		s.gone(err)
		return
	case unreadable:
		s.breakOff(err)
	default: // a failed read says nothing: ask again
		if s.closed && s.failures >= closeTries {
			s.gone(errUntold(err))
			return
		}
		s.endSlot()
		s.storageFailed(err)
		s.busy, s.stale = true, true
		s.db.host.After(s.backoff(), func() { s.busy = false; s.Pump() })
		return
	}
	s.Pump()
}

// breakOff stops a stream whose local log cannot be followed: reading goes on, nothing more can be committed.
func (s *Stream) breakOff(err error) {
	s.broken, s.stale = err, false
	s.endSlot()
	s.stop(action.CodeOf(err), err)
	s.failWrites(err)
	landings := s.landings
	s.landings = nil
	for _, l := range landings {
		l.done(false, nil)
	}
}

// found writes record 0 of a log that does not exist yet. Another context may be first: then its log is read.
func (s *Stream) found() {
	blob := replica.NewLog(s.db.host.NewID(), s.db.newClient(), s.db.user, s.options.ConflictFree != nil && *s.options.ConflictFree)
	store, name := s.db.store, s.Name()
	s.db.host.Do(func() func() {
		err := store.Append(context.Background(), name, 0, blob)
		return func() {
			s.busy = false
			if err == nil || errors.Is(err, locallog.ErrLost) || action.CodeOf(err) == action.CodeStorage && s.failures < 3 {
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
