package plan

import (
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
)

// Plan is what follows from a step. The host carries it out, field by field in this order, before it takes the next event. It is
// data: what it begins comes back as an event that carries its number.
type Plan struct {
	// Changes are the streams whose rows may have changed: before the caller goes on. An app's own writes are not among them:
	// it has them from Write.
	Changes []Change
	// Store is what the stores do; each may begin at once, and takes as long as it takes.
	Store []Access
	// Aborts are requests that nobody waits for any more, whose end is not told.
	Aborts []Op
	// Requests are made of the server.
	Requests []Request
	// Turns are requests of data streams.
	Turns []Turn
	// Listen, where not nil, takes the place of the connection for hints.
	Listen *Listen
	// Timers are set anew: each takes the place of the one of its id.
	Timers []Timer
	// Slots are asked for, or given back.
	Slots []SlotChange
	// Awaits are entries of data streams that actions wait for: EntryDurable is told of each when the server has it.
	Awaits []Entry
	// Tells are messages to the other contexts; they are about what is durable.
	Tells [][]byte
	// Steal takes the lead from a leader that is dead: Led follows.
	Steal bool
	// Notices are for the app. Whoever is told may call: after the rest, in a task of its own.
	Notices []Notice
	// More asks for the event More in the next task.
	More bool
}

// Change is what has changed of a stream's rows; Remote where by others, too.
type Change struct {
	Stream StreamID
	Remote bool
	replica.Difference
}

// Request is one of the server: of the sync protocol with Body, or for the text of a checkpoint that it has offered, from byte
// len(Have) on; the answer is Have and what has come, also where it fails on the way. A whole one with another hash than the offer's
// is a bad answer.
type Request struct {
	Op     Op
	Body   []byte
	Stream string
	Offer  *protocol.CheckpointOffer // not nil: for that checkpoint of Stream
	Have   []byte
	Idle   Idle
}

// Turn is one request of a data stream: of what is queued, unless Hold says that it waits; where that is nothing, of a page of what is
// new, where Fetch says so. A large entry is sent in parts, each of them a turn.
type Turn struct {
	Op    Op
	Name  string
	Hold  bool
	Fetch bool
}

// Idle is how long nothing may come, in milliseconds, until a request is given up with a timeout: its first byte,
// which the upload comes before, and each one after another. Silence ends a request, and not its length.
type Idle struct{ First, Next int64 }

// Listen is a connection for hints: Hinted and HintsEnded. Without topics there is none.
type Listen struct {
	Op    Op
	About protocol.Topics
}

// SlotChange asks for a turn to write to a stream, or gives it back; also one that was asked for and not granted yet. Granted comes
// when it is this context's turn, or after a moment in any case.
type SlotChange struct {
	Stream StreamID
	Name   string // of the stream
	Want   bool
}

// Entry is one of a data stream that an action refers to.
type Entry struct{ Stream, ID string }
