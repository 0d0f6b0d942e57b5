package core

import "context"

// Transport carries one request to the server. It may block; ctx ends it.
//
// An answer is a body of the sync protocol, whole. Everything else is an *Error: unreachable, timeout, bad-answer (not
// this protocol's, a redirect, half a body), or the code of the server's problem. RetryAfter is what the server asked for, in milliseconds, or 0.
type Transport interface {
	Sync(ctx context.Context, body []byte) (answer []byte, retryAfter int64, err error)

	// Checkpoint gives the text of a checkpoint that the server has offered. Its errors are those of Sync.
	Checkpoint(ctx context.Context, stream string, epoch UUID, index uint64) (text []byte, err error)
}
