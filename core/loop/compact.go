package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/replica"
)

// DefaultCompact is how many bytes of records are worth a local checkpoint.
const DefaultCompact = 256 << 10

// compactDelay lets what caused the last record go on first, in milliseconds.
const compactDelay = 100

// weigh takes a checkpoint soon where the records after the last one outweigh it: each byte of the log is then written
// about twice, and start-up reads at most about twice the state.
func (s *Stream) weigh() {
	if s.compacting || s.closed || s.broken != nil || !s.db.keeps() || s.db.host.Now() < s.compactAt || !s.Heavy(s.db.compact) {
		return
	}
	s.compacting = true
	s.db.host.After(compactDelay, s.compact)
}

// keeps tells whether this context takes the checkpoints: the leader does for all, but of a local-only database nobody
// opens others' streams.
func (db *DB) keeps() bool { return db.leading || db.transport == nil }

// maxCompactPause is how long it waits at most, in milliseconds, after a checkpoint that could not be stored: the disk may be full.
const maxCompactPause = 600_000

// compact looks whether another context was first, then takes a snapshot and writes it in steps, each a task of its own.
func (s *Stream) compact() {
	store, name := s.db.store, s.Name()
	s.db.host.Do(func() func() {
		raw, err := store.Manifest(context.Background(), name)
		var m *locallog.Manifest
		if err == nil && raw != nil {
			m, err = locallog.DecodeManifest(raw)
		}
		return func() {
			switch {
			case s.closed || s.broken != nil || err != nil: // it is tried again at the next record
				s.compacting = false
			case m != nil && string(m.Raw) != string(s.Base().Raw):
				s.compacting = false
				s.Checkpointed(m)
				s.weigh()
			case m != nil && m.LSN == s.NextLSN()-1:
				s.compacting = false
			default:
				s.writeSnapshot(s.TrackSnapshot())
			}
		}
	})
}

func (s *Stream) writeSnapshot(n *replica.Snapshot) {
	if s.closed || !s.Taking(n) { // closed, or read anew
		s.compacting = false
		return
	}
	if !n.Step() {
		s.db.host.After(0, func() { s.writeSnapshot(n) })
		return
	}
	store, name, c := s.db.store, s.Name(), n.Seal(s.Base())
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		return func() {
			s.compacting = false
			if !s.Taking(n) {
				return
			}
			if err != nil {
				s.compactPause = min(max(2*s.compactPause, s.db.retry), maxCompactPause)
				s.compactAt = s.db.host.Now() + s.compactPause
			} else {
				s.compactPause = 0
			}
			if err != nil { // also where the outcome is unknown: the next look at the manifest tells
				s.DropSnapshot()
				return
			}
			s.Stored(n)
			s.weigh()
		}
	})
}
