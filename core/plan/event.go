package plan

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/protocol"
)

// Event is what has happened outside, or what somebody wants. Events may come late, twice, or in another order than what they
// are about: one that is about nothing that is under way changes nothing.
type Event interface{ event() }

// StreamID is a stream that was opened once. No other one has it again.
type StreamID uint32

// Options say how a stream is used. The zero value takes it as it is.
type Options struct {
	ConflictFree *bool // the mode, which is chosen when the local log is made; nil: as it is, or not
	Conflicts    int   // how many reports are kept; 0: conflict.Default
}

// Call is the host's name for somebody who waits for a notice; 0 for nobody.
type Call uint32

// Lack is what a page could not be shown without the program.
type Lack uint8

const (
	LacksNothing Lack = iota
	LacksRecord       // what is shown at a record
	LacksPage         // the rows of a page of the checkpoint: all of them are written anew
)

// Op is the number of what a plan has begun. An event that ends it carries it back.
type Op uint32

// What an app wants.
type (
	// Open reads a stream's local log, or makes it, and puts the stream into the loop: Opened. Opening one that is open is the
	// host's error: Stream gives it.
	Open struct {
		Name    string
		Options Options
		Call    Call
	}
	// CloseStream lets what is written become durable, then ends the stream: Done. Pending actions stay in the local log.
	CloseStream struct {
		Stream StreamID
		Call   Call
	}
	// Close closes every stream so, and lets go of the store: Done.
	Close struct{ Call Call }
	// Destroy deletes the local database: Done. While it holds actions that the server does not have, of any stream, open or
	// not, it fails with an unsent *Error and their number, unless forced; refused ones that nobody has dealt with count too.
	// Nothing can be written meanwhile.
	Destroy struct {
		Force bool
		Call  Call
	}
	// Sync runs the loop now until nothing is left to fetch or persist, or it fails: Done.
	Sync struct{ Call Call }
	// Settled waits until all that is pending or uncommitted now is in the log or refused: Done.
	Settled struct {
		Stream StreamID
		Call   Call
	}
	// Persisted asks what became of one of this client's own actions, once that is known, also of one that was made before a
	// reload: Fate. One that this local log does not know, or not any more, is a not-found *Error.
	Persisted struct {
		Stream StreamID
		ID     action.UUID
		Call   Call
	}
	// Discard takes a refused action off the list, for good: Done.
	Discard struct {
		Stream StreamID
		ID     action.UUID
		Call   Call
	}
	// Repair brings a stream whose local log is damaged to the server's log anew, with what can be read here of what is unsent: Done when
	// it can be written to again. One that is not damaged needs none.
	Repair struct {
		Stream StreamID
		Call   Call
	}
	// List asks for the names of the streams that have a local log: Names.
	List struct{ Call Call }
	// OpenData puts a data stream into the loop: it is sent and fetched by Turns, and hints are about it: Opened. What is stored of
	// it, and its requests, are the host's.
	OpenData struct {
		Name string
		Own  bool // it is in the memory of this context: no other one can serve it
		Call Call
	}
	// Queued says how many entries of a data stream, open or not, are not on the server; Wrote, that some of them were just
	// queued here.
	Queued struct {
		Name    string
		Pending int
		Wrote   bool
		Own     bool
	}
	// Lacking says that what is shown beside a local log is not whole, or not right: a checkpoint is worth while.
	Lacking struct {
		Stream StreamID
		Lack   Lack
	}
	// Wrote says that the task which wrote is over: what was written until then shares one commit.
	Wrote struct{}
)

// What comes of what a plan has begun.
type (
	// Loaded ends a Load.
	Loaded struct {
		Op  Op
		Log locallog.Log
		Err error
	}
	// ManifestRead ends a ReadManifest.
	ManifestRead struct {
		Op  Op
		Raw []byte
		Err error
	}
	// PagesRead ends a ReadPages.
	PagesRead struct {
		Op    Op
		Pages [][]byte
		Err   error
	}
	// RemainsRead ends a ReadRemains.
	RemainsRead struct {
		Op      Op
		Remains locallog.Remains
		Err     error
	}
	// Stored ends an Append, a Show, a Replace, a Wipe or a Release.
	Stored struct {
		Op  Op
		Err error
	}
	// Listed ends a ListStreams.
	Listed struct {
		Op    Op
		Names []string
		Err   error
	}
	// Answered ends a Request. Body is whole, and of the kind that was asked for; everything else is an *Error: unreachable,
	// timeout, bad-answer (not this protocol's, a redirect, half a body), or the code of the server's problem; Body is then what
	// there is of a checkpoint. RetryAfter is
	// what the server asked for, in milliseconds, or 0.
	Answered struct {
		Op         Op
		Body       []byte
		RetryAfter int64
		Err        error
		Cost       Cost
	}
	// Hinted says that something has moved which the connection for hints is about: whenever it does, and once of each at the
	// beginning. Hints may be late, doubled or missing.
	Hinted struct {
		Op   Op
		Hint protocol.Hint
	}
	// HintsEnded says that the connection for hints has ended by itself, or cannot be made.
	HintsEnded struct {
		Op  Op
		Err error
	}
	// Fired says that a timer's time has come.
	Fired struct{ Timer TimerID }
	// More goes on with what a plan has left for the next task.
	More struct{}
	// Whole does what is left of the step under way: somebody is about to ask for something.
	Whole struct{}
	// Granted says that it is this context's turn to write to a stream.
	Granted struct{ Stream StreamID }
	// Worked ends a Turn: how many entries were sent, fetched and refused, how many are not on the server now, where the end of what
	// came from the server is, and whether there is more. With an error, what was sent or fetched before it counts all the same; Alone
	// says that it is this stream's alone, since something else got through.
	Worked struct {
		Op                     Op
		Sent, Fetched, Refused int
		Pending                int
		Offset                 string
		More, Alone            bool
		RetryAfter             int64
		Err                    error
		Cost                   Cost // of all its requests
	}
	// Cost is what was seen of a request on its way, for people: the last status, 0 for none, and the bytes of the bodies, both ways.
	Cost struct {
		Status int
		Bytes  int64
	}
	// EntryDurable says that the server has an entry of a data stream, which the plan asked for.
	EntryDurable struct{ Entry Entry }
)

// What browsers and other contexts tell.
type (
	// Heard is a message of another context of the profile.
	Heard struct{ Message []byte }
	// Led makes this context the leader, or a follower.
	Led struct{ Leads bool }
	// Gone says that another context has ended without a word: who has what open is asked anew.
	Gone struct{}
	// Resumed says that this context goes on after it was frozen.
	Resumed struct{}
	// Offline says that the browser says it has no network.
	Offline struct{}
	// Woken cuts any pause; Because tells people why.
	Woken struct{ Because string }
)

func (*Open) event()         {}
func (*CloseStream) event()  {}
func (*Close) event()        {}
func (*Destroy) event()      {}
func (*Sync) event()         {}
func (*Settled) event()      {}
func (*Persisted) event()    {}
func (*Discard) event()      {}
func (*Repair) event()       {}
func (*RemainsRead) event()  {}
func (*List) event()         {}
func (*OpenData) event()     {}
func (*Queued) event()       {}
func (*Worked) event()       {}
func (*Gone) event()         {}
func (*Lacking) event()      {}
func (*Wrote) event()        {}
func (*Loaded) event()       {}
func (*ManifestRead) event() {}
func (*PagesRead) event()    {}
func (*Stored) event()       {}
func (*Listed) event()       {}
func (*Answered) event()     {}
func (*Hinted) event()       {}
func (*HintsEnded) event()   {}
func (*Fired) event()        {}
func (*More) event()         {}
func (*Whole) event()        {}
func (*Granted) event()      {}
func (*EntryDurable) event() {}
func (*Heard) event()        {}
func (*Led) event()          {}
func (*Resumed) event()      {}
func (*Offline) event()      {}
func (*Woken) event()        {}
