package journal

import (
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/rows"
)

// DefaultCompact is how many bytes of records are worth a local checkpoint.
const DefaultCompact = 256 << 10

const (
	// compactDelay lets what caused the last record go on first, in milliseconds.
	compactDelay = 100
	// maxCompactPause is how long it waits at most, in milliseconds, after a checkpoint that could not be stored: the disk may be full.
	maxCompactPause = 600_000
)

// compactState is what is done for a local checkpoint.
type compactState uint8

const (
	compactResting compactState = iota
	compactSoon                 // the timer runs
	compactLooking              // whether another context was first
	compactCutting              // the pages are made, in steps
	compactStoring
)

// compaction is a stream's local checkpoints.
type compaction struct {
	state    compactState
	snap     *checkpoint.Snapshot
	notUntil int64 // Unix milliseconds
	pause    int64
	lack     plan.Lack
}

// Weigh takes a checkpoint soon where the records after the last one outweigh it: each byte of the log is then written
// about twice, and start-up reads at most about twice the state.
func (s *Journal) Weigh() {
	if c := &s.compaction; c.state == compactResting && s.worthwhile(0) {
		c.state = compactSoon
		s.setTimer(plan.CompactTimer, compactDelay)
	}
}

func (s *Journal) worthwhile(more int) bool {
	c := &s.compaction
	rebuilds := s.install != nil && s.install.rebuild != nil // soon all is made anew
	may := !s.Closed() && !rebuilds && s.broken == nil && s.p.Keeps && s.p.Now() >= c.notUntil
	return may && (s.Heavy(s.p.Compact, more) || c.lack != plan.LacksNothing)
}

// toCompact tells whether a checkpoint comes soon, of the record that is the last one now, or of a later one; or of one of more bytes that
// is about to come.
func (s *Journal) toCompact(more int) bool {
	switch s.compaction.state {
	case compactSoon, compactLooking:
		return true
	case compactResting:
		return s.worthwhile(more)
	}
	return false
}

// lacking takes note that what is shown is not whole.
func (s *Journal) lacking(lack plan.Lack) {
	s.compaction.lack = max(s.compaction.lack, lack)
	s.Weigh()
}

// compact looks whether another context was first.
func (s *Journal) compact() {
	c := &s.compaction
	c.state = compactLooking
	s.p.Access(plan.Flight{Of: plan.OfCompaction, Stream: s.ID}, plan.Access{Kind: plan.ReadManifest, Stream: s.Name()})
}

// looked takes a snapshot, where nobody was.
func (s *Journal) looked(raw []byte, err error) {
	c := &s.compaction
	c.state = compactResting
	var m *locallog.Manifest
	if err == nil && raw != nil {
		m, err = locallog.DecodeManifest(raw)
	}
	switch {
	case s.Closed() || s.broken != nil || err != nil: // it is tried again at the next record
	case m != nil && string(m.Raw) != string(s.Base().Raw):
		s.Checkpointed(m)
		s.Weigh()
	case m != nil && m.LSN == s.NextLSN()-1:
	default:
		if c.lack == plan.LacksPage {
			s.Checkpointed(s.Base()) // all of its pages are dirty
		}
		c.state, c.snap = compactCutting, s.TrackSnapshot()
		if s.shows() {
			c.snap.Show(rows.AtCheckpoint(s.Replica, s.p.Pace))
		}
	}
}

// compactMore makes the next pages; then the checkpoint is written.
func (s *Journal) compactMore() {
	c := &s.compaction
	switch {
	case c.state != compactCutting:
	case s.Closed() || !s.Taking(c.snap): // closed, or read anew
		c.state, c.snap = compactResting, nil
	case c.snap.Step():
		c.state = compactStoring
		s.p.Access(plan.Flight{Of: plan.OfCompaction, Stream: s.ID},
			plan.Access{Kind: plan.Replace, Stream: s.Name(), Checkpoint: c.snap.Seal(s.Base())})
	}
}

// compacted goes on after it was written.
func (s *Journal) compacted(err error) {
	c := &s.compaction
	snap := c.snap
	c.state, c.snap = compactResting, nil
	if s.life == ended || !s.Taking(snap) {
		return
	}
	if err != nil { // also where the outcome is unknown: the next look at the manifest tells
		c.pause = min(max(2*c.pause, s.p.Retry), maxCompactPause)
		c.notUntil = s.p.Now() + c.pause
		s.DropSnapshot()
		return
	}
	c.pause, c.lack = 0, plan.LacksNothing
	s.Stored(snap)
	s.Weigh()
}
