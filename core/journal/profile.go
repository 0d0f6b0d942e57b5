package journal

import (
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/plan"
)

// Profile is what the streams of a database have in common: the plan that they write, what they are made of, and what they are told.
type Profile struct {
	*plan.Draft
	Pace    *pace.Pace // of what takes long
	User    string
	Retry   int64 // the pause after a failure, in milliseconds
	Compact int   // how many bytes of records are worth a local checkpoint
	Shared  bool  // other contexts may hear
	Slots   bool  // contexts are given their turns to write
	Unshown bool  // nobody reads what is shown beside the local logs
	Refuge  bool  // what is open goes on in memory if the database is taken away

	Keeps  bool // this context takes the checkpoints
	Ending bool // the database is to be closed or destroyed
	Wiping bool // it is being deleted: nothing begins

	Signals []Signal // that the loop has not heeded
}

// Message tells the other contexts something.
func (p *Profile) Message(kind byte, about string) {
	if p.Shared && p.Where == plan.Database {
		p.Tells = append(p.Tells, append([]byte{kind}, about...))
	}
}

// slots tells whether there are any: in memory nobody else writes.
func (p *Profile) slots() bool { return p.Slots && p.Where == plan.Database }

// What a signal is about.
type What uint8

const (
	Opened    What = iota + 1 // the stream is there; with Err it is not
	Moved                     // the queue may have something to send
	Landed                    // what was to land is a record, or is none
	Aside                     // the loop may ask for what is folded aside
	Installed                 // what came from the server is in the place of the local log; with Err it is not
	Anew                      // the log is another one
	Rekeyed                   // the local log has another client id
	Stopped                   // the stream cannot go on
	Mending                   // it is being repaired: it takes part in turns again
	Mended                    // it can go on
	Ended                     // it is closed
	Taken                     // the database was taken away: the streams go on in memory
)

// Signal is what a journal tells the loop.
type Signal struct {
	What       What
	Stream     plan.StreamID
	Call       plan.Call // of who opened it
	Err        error
	Activity   bool   // of Landed: the next turn may follow at once
	Known      bool   // of Installed: what became of the actions that were offered is known now
	Reason     string // of Stopped, in a word
	Index      uint64 // of Installed: of the checkpoint
	RetryAfter int64  // of Installed: milliseconds that the server asked to wait
}

func (s *Journal) signal(g Signal) {
	g.Stream = s.ID
	s.p.Signals = append(s.p.Signals, g)
}
