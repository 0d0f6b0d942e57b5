package plan

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/replica"
)

// Notice is what an app is told; one of the types below.
type Notice interface{ notice() }

// To who waits.
type (
	// Opened answers Open and OpenData.
	Opened struct {
		Call   Call
		Stream StreamID
		Err    error
	}
	// Done answers CloseStream, Close, Destroy, Sync, Settled and Discard.
	Done struct {
		Call   Call
		Err    error
		Unsent int // why the database was not destroyed: how many actions the server does not have
	}
	// Fate answers Persisted: the action's index, or why it has none. A rejected one is given with its error.
	Fate struct {
		Call     Call
		Index    uint64
		Rejected *replica.Rejected
		Err      error
	}
	// Names answers List.
	Names struct {
		Call  Call
		Names []string
		Err   error
	}
)

// To who has a stream open. Those of streams that are open for other contexts only are not among a plan's.
type (
	// Committed says that every write up to this ticket is durable in the local log.
	Committed struct {
		Stream StreamID
		UpTo   uint64
	}
	// Failed says that these writes were not kept, and are taken back.
	Failed struct {
		Stream  StreamID
		Tickets []uint64
		Err     error
	}
	// Resolved says that an own action has its index, and whether it was discarded whole there.
	Resolved struct {
		Stream StreamID
		Ticket uint64
		ID     action.UUID
		Index  uint64
		Err    error
	}
	// Refused says that the server refused an own action for good, or that it depends on such a one.
	Refused struct {
		Stream   StreamID
		Ticket   uint64
		Rejected replica.Rejected
	}
	// Conflicted says that a write of this client lost, or replaced an unseen one.
	Conflicted struct {
		Stream   StreamID
		Conflict *conflict.Conflict
	}
	// Reset says that another log has taken the place of the one before, and what became of own actions.
	Reset struct {
		Stream StreamID
		own.Reset
	}
	// StatusChanged says that Status may give something new.
	StatusChanged struct{ Stream StreamID }
	// Closed says that the stream cannot be used any more, and why; nil after CloseStream.
	Closed struct {
		Stream StreamID
		Err    error
	}
)

// To who has the database open.
type (
	// Lost says that the database was taken away: what is open goes on in memory. Unsent is how many actions the server does not have.
	Lost struct{ Unsent int }
)

func (*Opened) notice()        {}
func (*Done) notice()          {}
func (*Fate) notice()          {}
func (*Names) notice()         {}
func (*Committed) notice()     {}
func (*Failed) notice()        {}
func (*Resolved) notice()      {}
func (*Refused) notice()       {}
func (*Conflicted) notice()    {}
func (*Reset) notice()         {}
func (*StatusChanged) notice() {}
func (*Closed) notice()        {}
func (*Lost) notice()          {}
