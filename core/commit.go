package core

import (
	"context"
	"errors"
)

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
			s.breakOff(err)
		}
		s.tell(&land, true)
		if p.upgrade {
			s.stop("upgrade", fail(CodeUpgrade, "", "the log holds an action that this version does not know"))
		}
		s.db.hint(s.name)
		l.done(true, nil)
	}, func(err error) { l.done(err == nil, err) })
}

func (s *Stream) append(record []byte, then func(), lost func(error)) {
	s.busy = true
	lsn := s.next
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		err := store.Append(context.Background(), name, lsn, record)
		return func() {
			s.busy = false
			if s.ended { // a forced destroy did not wait
				return
			}
			switch {
			case err == nil:
				s.failures = 0
				then()
			case errors.Is(err, ErrLost):
				s.stale = true
				if lost != nil {
					lost(nil)
				}
			case CodeOf(err) == CodeQuota && lost != nil:
				lost(err)
			case CodeOf(err) == CodeQuota:
				s.failWrites(err)
			case CodeOf(err) == CodeClosed:
				s.gone(err)
				if lost != nil {
					lost(err)
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

func (s *Stream) failWrites(err error) {
	dropped := s.abandon()
	if len(dropped) == 0 {
		return
	}
	tickets := make([]uint64, len(dropped))
	for i, l := range dropped {
		tickets[i] = l.ticket
	}
	s.observer.Failed(tickets, err)
	s.observer.Changed(false)
	for _, l := range dropped {
		s.settle(l.ID)
	}
	s.statusChanged()
}

const closeTries = 3

func (s *Stream) unknown(lsn LSN, record []byte, then func(), lost func(error), cause error) {
	s.busy = true
	if s.closed && s.failures >= closeTries {
		s.busy = false
		s.gone(cause)
		if lost != nil {
			lost(cause)
		}
		return
	}
	s.storageFailed(cause)
	s.db.host.After(s.backoff(), func() {
		store, name := s.db.store, s.name
		s.db.host.Do(func() func() {
			records, err := store.Load(context.Background(), name, lsn)
			return func() {
				switch {
				case s.ended:
				case err != nil && CodeOf(err) == CodeClosed:
					s.busy = false
					s.gone(err)
					if lost != nil {
						lost(err)
					}
				case err != nil:
					s.unknown(lsn, record, then, lost, err)
				case len(records) > 0 && string(records[0]) == string(record):
					s.busy, s.failures = false, 0
					s.storageRecovered()
					then()
					s.stale = s.stale || len(records) > 1
					s.Pump()
				default:
					s.busy, s.failures = false, 0
					s.storageRecovered()
					s.stale = s.stale || len(records) > 0
					if lost != nil {
						lost(nil)
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
	if s.status.State != StateStopped {
		s.status.Err = asError(err, CodeStorage)
		s.statusChanged()
	}
}

func (s *Stream) storageRecovered() {
	if s.status.Err != nil && s.status.State != StateStopped {
		s.status.Err = nil
		s.statusChanged()
	}
}

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
	s.busy = false
	if s.ended {
		return
	}
	unreadable := err != nil && (CodeOf(err) == CodeCorrupt || CodeOf(err) == CodeUpgrade)
	if len(records) > 0 && (err == nil || unreadable) { // what comes before an unreadable record counts
		land, ferr := s.follow(records)
		if ferr != nil {
			err, unreadable = ferr, true
		}
		s.tell(&land, true)
		s.db.wake(becauseWrite, false)
	}
	switch {
	case err == nil:
		s.storageRecovered()
	case CodeOf(err) == CodeClosed:
		s.gone(err)
		return
	case unreadable:
		s.breakOff(err)
	default: // a failed read says nothing: ask again
		if s.closed && s.failures >= closeTries {
			s.gone(err)
			return
		}
		s.storageFailed(err)
		s.busy, s.stale = true, true
		s.db.host.After(s.backoff(), func() { s.busy = false; s.Pump() })
		return
	}
	s.Pump()
}

func (s *Stream) breakOff(err error) {
	s.broken, s.stale = err, false
	s.stop(CodeOf(err), err)
	s.failWrites(err)
	landings := s.landings
	s.landings = nil
	for _, l := range landings {
		l.done(false, nil)
	}
}

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
