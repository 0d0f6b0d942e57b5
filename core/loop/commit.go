package loop

import (
	"context"
	"errors"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/replica"
)

// commit appends the record of the waiting writes.
func (s *Stream) commit() {
	record, n, upTo := s.CommitRecord()
	s.append(record, func() {
		s.Committed(n, len(record))
		s.wrote = true
		if n > 0 {
			s.observer.Committed(upTo)
		}
		s.answerDiscards(nil)
		s.statusChanged()
		s.db.tell('m', s.Name())
		s.db.wake(becauseWrite, false)
	}, nil)
}

// land turns the oldest waiting answer into a record.
func (s *Stream) land() {
	l := s.landings[0]
	s.landings = s.landings[1:]
	s.wrote = false
	if s.closed {
		l.done(false, nil)
		s.Pump()
		return
	}
	if l.install != nil {
		s.landInstall(l.install)
		return
	}
	p, err := s.plan(l)
	if err != nil || p.Record == nil {
		if p.Upgrade {
			s.stop("upgrade", action.Fail(action.CodeUpgrade, "", "the log holds an action that this version does not know"))
		}
		l.done(l.rekey, err)
		s.Pump()
		return
	}
	s.append(p.Record, func() {
		land, err := s.Follow([]*replica.Record{p.Turn})
		if err != nil {
			s.breakOff(err)
		}
		s.tell(&land, true)
		if p.Upgrade {
			s.stop("upgrade", action.Fail(action.CodeUpgrade, "", "the log holds an action that this version does not know"))
		}
		s.db.tell('m', s.Name())
		l.done(true, nil)
	}, func(err error) { l.done(err == nil, err) })
}

// append commits one record against the log as it is known now. then runs when it is durable. For a record that is no
// local write, lost runs when it is not, and is dropped: without an error where only another context was first.
func (s *Stream) append(record []byte, then func(), lost func(error)) {
	s.busy, s.read = true, false
	lsn := s.NextLSN()
	store, name := s.db.store, s.Name()
	s.db.host.Do(func() func() {
		err := store.Append(context.Background(), name, lsn, record)
		return func() {
			s.busy = false
			s.endSlot()
			if s.ended { // a forced destroy did not wait
				return
			}
			switch {
			case err == nil:
				s.failures = 0
				then()
				s.weigh()
			case errors.Is(err, locallog.ErrLost):
				s.stale = true
				s.lostRace()
				if lost != nil {
					lost(nil)
				}
			case action.CodeOf(err) == action.CodeQuota && lost != nil:
				lost(err)
			case action.CodeOf(err) == action.CodeQuota:
				s.failWrites(err)
			case s.takeRefuge(err, func() {
				if lost != nil {
					lost(nil)
				}
			}):
				return
			case action.CodeOf(err) == action.CodeClosed:
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

// failWrites takes back what is not committed: none of it was kept, and the callers are told so.
func (s *Stream) failWrites(err error) {
	s.answerDiscards(err)
	dropped := s.Abandon()
	if len(dropped) == 0 {
		return
	}
	tickets := make([]uint64, len(dropped))
	for i, l := range dropped {
		tickets[i] = l.Ticket
	}
	s.observer.Failed(tickets, err)
	s.observer.Changed(false)
	for _, l := range dropped {
		s.settle(l.ID)
		s.answer(l.ID, 0, nil, err)
	}
	s.statusChanged()
}

// closeTries is how often a closing stream asks a failing store what became of its last commit.
const closeTries = 3

// errUntold is for those whose stream has closed before the outcome of their writes was known.
func errUntold(cause error) error {
	return &action.Error{Code: action.CodeStorage, Message: "whether the last writes were kept cannot be told", Cause: cause}
}

// unknown settles a commit whose outcome is not known: what the log holds at its lsn tells.
func (s *Stream) unknown(lsn locallog.LSN, record []byte, then func(), lost func(error), cause error) {
	s.busy = true
	if s.closed && s.failures >= closeTries {
		s.busy = false
		s.gone(errUntold(cause))
		if lost != nil {
			lost(cause)
		}
		return
	}
	s.storageFailed(cause)
	s.db.host.After(s.backoff(), func() {
		store, name, keep := s.db.store, s.Name(), s.options.Conflicts
		s.db.host.Do(func() func() {
			log, err := store.Load(context.Background(), name, lsn)
			var anew *replica.Replica
			if err == nil && log.Manifest != nil {
				anew, err = replica.Read(name, keep, &log)
			}
			records := log.Records
			return func() {
				switch {
				case s.ended:
				case err != nil && s.takeRefuge(err, func() {
					if lost != nil {
						lost(nil)
					}
				}):
				case err != nil && action.CodeOf(err) == action.CodeClosed:
					s.busy = false
					if lost == nil { // the record may have been kept, and sent, before the log went
						s.failWrites(errUntold(err))
					}
					s.gone(err)
					if lost != nil {
						lost(err)
					}
				case err != nil:
					s.unknown(lsn, record, then, lost, err)
				case anew != nil: // it knows which of the actions are stored
					s.busy, s.failures = false, 0
					s.storageRecovered()
					s.adopt(anew)
					if lost != nil {
						lost(nil)
					}
					s.Pump()
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
	s.storage = action.AsError(err, action.CodeStorage)
	s.statusChanged()
}

func (s *Stream) storageRecovered() {
	if s.storage != nil {
		s.storage = nil
		s.statusChanged()
	}
}
