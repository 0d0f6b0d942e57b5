package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/rows"
)

// What is shown at a record is stored beside it, for a page that has no program yet: of local writes in the same transaction; of a turn
// when it has landed, with the next record, or alone where none follows at once. Where it is missing, a page waits for the program.

// shows tells whether somebody may read it: what is in memory only nobody does.
func (s *Journal) shows() bool { return s.p.Where == plan.Database && !s.p.Unshown }

// show gives what goes with a record.
func (s *Journal) show(c *commit) (shown []locallog.Shown) {
	if s.shown.Text != "" && s.shown.LSN+1 == c.lsn {
		shown = append(shown, s.shown)
	}
	s.shown = locallog.Shown{}
	if c.shown != "" {
		shown = append(shown, locallog.Shown{LSN: c.lsn, Text: c.shown})
	}
	return shown
}

// skips tells whether what a record shows is left to the checkpoint that comes soon: of a large one only, as the page may be closed first.
func (s *Journal) skips(bytes, more int) bool { return bytes >= 64<<10 && s.toCompact(more) }

// showTurn takes note of what is shown at a turn's record. A checkpoint that is about to be taken shows it, too.
func (s *Journal) showTurn(c *commit, land *replica.Landing, was action.UUID) {
	if s.shows() && !s.skips(len(c.record), 0) {
		s.shown = locallog.Shown{LSN: c.lsn, Text: rows.AtTurn(s.Replica, land, was, len(c.record), s.p.Pace)}
	}
}

// showAlone stores it where no record has taken it along. Whatever comes of that is nobody's concern.
func (s *Journal) showAlone() {
	if s.shown.Text != "" {
		s.p.Access(plan.Flight{Of: plan.OfShown, Stream: s.ID},
			plan.Access{Kind: plan.Show, Stream: s.Name(), Shown: []locallog.Shown{s.shown}})
		s.shown = locallog.Shown{}
	}
}
