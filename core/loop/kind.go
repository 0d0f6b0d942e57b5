package loop

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// Kind is what a stream is made of: of actions (Stream), or of data (Data). The loop decides who is asked and when, what follows from a
// failure, who leads, and what people are shown. A kind decides what is asked, and what becomes of the answer. This is its own side.
type Kind interface {
	// Standing is how it stands now.
	Standing() Standing
	// Unfinished tells whether something is left for the next task.
	Unfinished() bool
	// Step takes an event of its own: what comes of what it has begun, and what somebody wants of it.
	Step(of plan.Matter, e plan.Event)
	// Heed takes a cue of the loop's.
	Heed(c Cue)
	// Close takes it out of the loop, brings to an end what has begun, then ends it.
	Close(call plan.Call)
	// End ends it as it is. With an error its storage is not there any more, and what was not durable has failed with it.
	End(err error)
}

// Remote is the part in a turn of one that is asked about together with others, in one request. Each answer ends with DB.landed, at once
// or when what came is durable.
type Remote interface {
	// Ask is what the next request says of it, within what is left of the request, and whether something did not fit.
	Ask(left Room) (it protocol.SyncItem, more bool)
	// Answered takes the server's answer to it; nil where the server gave none.
	Answered(it *protocol.SyncItem, a *protocol.SyncAnswer)
	// Missed says that the request failed as a whole.
	Missed(it *protocol.SyncItem, m Missed)
	// Told takes note of what its own side tells, before the loop does.
	Told(g *journal.Signal)
}

// Standing is how a stream stands.
type Standing struct {
	Life   Life
	Away   bool // it takes no part in turns for a while: it fetches something large
	Behind bool // the last answer left something to fetch
	Doubt  bool // the server has said that the log is another one: it is asked again, or that is fetched
	Busy   bool // something is under way that has to be brought to an end
	Unsent int  // changes that the server does not have
	// Refused is how many changes the server has refused and nobody has dealt with.
	Refused int
	Head    uint64        // how far what came from the server goes
	Next    locallog.LSN  // the number of the next record of its log
	Storage *action.Error // why its storage cannot be read or written now
	Held    *action.Error // why its next change is held back, while the others go on
	NextAt  int64         // when it is asked next, where it has turns of its own
	Because string
}

// Life is how far a stream's life is, as the loop needs it.
type Life uint8

const (
	Opening Life = iota
	Open
	Closed // nothing new begins
)

// Cue is what the loop bids a stream do.
type Cue uint8

const (
	Pump   Cue = iota // begin what can be begun
	Look              // read what other contexts have committed
	News              // one of them says that it has committed
	Rivals            // one of them has lost a race: who wins them takes turns too
	Weigh             // this context takes the checkpoints from now on
	Show              // what people are shown of it has changed
)

// Room is what is left of a request.
type Room struct {
	Actions int
	Bytes   int
	Entries int  // that its answer may have, of each stream
	Empty   bool // no stream has put an action into it
}

// Missed is what a request that failed means for who was asked by it.
type Missed struct {
	Unsure bool  // the server may have done what it was asked
	Alone  error // the request held one change, of this stream, and its size may be the reason
}

// member is a stream in the loop, whatever its kind.
type member struct {
	kind     Kind
	db       *DB
	id       plan.StreamID
	name     string
	attended bool // open for other contexts only

	contact contact
	stopped *stopped
	told    *Status // by the leader, of a round trip that this context has not made
	hint    hinted
}

// stopped is why a stream is out of the loop for good; reading goes on.
type stopped struct {
	err    *action.Error
	reason string // in a word
}

func (m *member) stop(reason string, err error) {
	m.stopped = &stopped{action.AsError(err, action.CodeInternal), reason}
	m.kind.Heed(Show)
}

func (m *member) life() Life   { return m.kind.Standing().Life }
func (m *member) away() bool   { return m.kind.Standing().Away }
func (m *member) unsent() int  { return m.kind.Standing().Unsent }
func (m *member) serves() bool { return m.life() == Open && m.stopped == nil }

// outdated is why what is unsent waits for newer code, nil where it does not.
func (m *member) outdated() *action.Error {
	st := m.kind.Standing()
	held := st.Held
	if m.told != nil && st.Unsent > 0 && m.told.State == StateHeld {
		held = m.told.Err
	}
	if held == nil || !failureOf(held).outdated {
		return nil
	}
	return held
}

func (m *member) remote() Remote {
	r, _ := m.kind.(Remote)
	return r
}
