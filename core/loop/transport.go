package loop

import (
	"context"

	"github.com/strandline-sync/strandline/core/protocol"
)

// Idle is how long nothing may come, in milliseconds, until a request is given up with a timeout: its first byte,
// which the upload comes before, and each one after another. Silence ends a request, and not its length.
type Idle struct{ First, Next int64 }

// Transport carries requests to the server. Sync and Checkpoint may block; ctx ends them.
//
// An answer is a body of the sync protocol, whole. Everything else is an *Error: unreachable, timeout, bad-answer (not
// this protocol's, a redirect, half a body), or the code of the server's problem. RetryAfter is what the server asked
// for, in milliseconds, or 0.
type Transport interface {
	Sync(ctx context.Context, body []byte, idle Idle) (answer []byte, retryAfter int64, err error)

	// Checkpoint gives the text of a checkpoint that the server has offered. Its errors are those of Sync; a text with
	// another hash than the offer's is a bad answer.
	Checkpoint(ctx context.Context, stream string, offer *protocol.CheckpointOffer, idle Idle) (text []byte, err error)

	// Listen asks for hints: heard is called whenever something of the topics moves, and once of each at the beginning, until stop is
	// called. ended is called when the connection ends by itself, or cannot be made. Both are called on the host's thread. Hints may
	// be late, doubled or missing.
	Listen(about protocol.Topics, heard func(protocol.Hint), ended func(err error)) (stop func())
}
