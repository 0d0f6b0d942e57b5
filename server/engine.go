package server

import (
	"context"
	"errors"

	"github.com/strandline-sync/strandline/core"
)

// Engine keeps the logs. Every engine passes enginetest.
//
// What it reveals is durable: an entry, a head or a conflict that was told is never taken back. An error other than the
// ones named here leaves the outcome open; the server then reads the log again before it says anything of it.
type Engine interface {
	// Log tells a log's epoch, head and chain; the zero Log for a stream that nobody has written.
	Log(ctx context.Context, stream string) (Log, error)

	// Append writes entries at expect+1 … in one step, durable before it returns. epoch names the log that a first append
	// makes. Where the head is another, or the log has another epoch, nothing is written and the error is ErrConflict.
	Append(ctx context.Context, stream string, epoch core.UUID, expect uint64, entries []Entry) error

	// Read gives entries after an index, in order, at most limit and about maxBytes (at least one). It sees every append
	// that was acknowledged before the call.
	Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) ([]Entry, error)

	// Chain is the log's chain at an index from 1 to head.
	Chain(ctx context.Context, stream string, index uint64) (core.Chain, error)

	// Streams lists the logs by name, with their heads.
	Streams(ctx context.Context) (map[string]uint64, error)

	// Close waits for what is under way and lets go.
	Close() error
}

// Log is what an engine knows of one log.
type Log struct {
	Epoch core.UUID
	Head  uint64
	Chain core.Chain
}

// Entry is one stored action.
type Entry struct {
	Stored int64      // Unix milliseconds
	By     string     // subject of the principal
	Chain  core.Chain // at this entry
	Raw    string     // canonical bytes of the action
}

// ErrConflict says that the log has another head, or another epoch, than the append was made for.
var ErrConflict = errors.New("the log has another head")

// ErrClosed says that the engine was closed.
var ErrClosed = errors.New("the engine is closed")
