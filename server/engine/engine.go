package engine

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/strandline-sync/strandline/core/action"
)

// Engine keeps the logs. Every engine passes enginetest.
//
// What it reveals is durable: an entry, a head or a conflict that was told is never taken back. An error other than the
// ones named here leaves the outcome open; the server then reads the log again before it says anything of it.
type Engine interface {
	DataEngine

	// Log tells a log's epoch, head and chain; the zero Log for a stream that nobody has written.
	Log(ctx context.Context, stream string) (Log, error)

	// Append writes entries at expect+1 … in one step, durable before it returns. epoch names the log that a first append
	// makes. Where the head is another, or the log has another epoch, nothing is written and the error is ErrConflict.
	Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []Entry) error

	// Read gives entries after an index, in order, at most limit and about maxBytes (at least one). It sees every append
	// that was acknowledged before the call. Where the next entry is forgotten, the error is ErrConflict.
	Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) ([]Entry, error)

	// Chain is the log's chain at an index from oldest to head; ErrConflict for another one.
	Chain(ctx context.Context, stream string, index uint64) (action.Chain, error)

	// Checkpoint gives the checkpoint of the log at an index, the newest one for index 0; nil where there is none.
	Checkpoint(ctx context.Context, stream string, index uint64) (*Checkpoint, error)

	// Checkpoints lists the indexes of the log's checkpoints, the newest first: none, one or two.
	Checkpoints(ctx context.Context, stream string) ([]uint64, error)

	// PutCheckpoint stores a checkpoint, durable before it returns. It forgets those before it but the last one, which somebody
	// may be reading, and the entries below oldest; oldest is at most the checkpoint's index, so that the last entry
	// stays. Where one stands at that index already, or above, only the entries are forgotten. Where the log has another epoch, or has not come so far,
	// nothing is written and the error is ErrConflict.
	PutCheckpoint(ctx context.Context, stream string, c *Checkpoint, oldest uint64) error

	// Delete forgets a log and its checkpoints for good. The next append makes a new log, with another epoch.
	Delete(ctx context.Context, stream string) error

	// Deleted tells whether an epoch was that of a log that was deleted, also before that one was restored.
	Deleted(ctx context.Context, epoch action.UUID) (bool, error)

	// Streams lists logs by name, from the first name behind after on, at most limit of them.
	Streams(ctx context.Context, after string, limit int) ([]Head, error)

	// Claim gives the principal that a client id belongs to on this server: the one that first claimed it, durable before it returns.
	Claim(ctx context.Context, client action.UUID, principal string) (owner string, err error)

	// Use tells what of a principal's is kept.
	Use(ctx context.Context, principal string) (Use, error)

	// Forget takes a principal's name from beside every entry, from the owners of checkpoints and from what it claimed: these client ids are nobody's
	// for ever. It may take long; where it fails in the middle, it is done in part, and can be done again.
	Forget(ctx context.Context, principal string) error

	// Cursor gives what PutCursor has kept, durable before it returned, of how far a consumer has come in a stream; nil for one that has not begun. It
	// outlives the log.
	Cursor(ctx context.Context, consumer, stream string) ([]byte, error)
	PutCursor(ctx context.Context, consumer, stream string, cursor []byte) error

	// Close waits for what is under way and lets go.
	Close() error
}

// Log is what an engine knows of one log.
type Log struct {
	Epoch  action.UUID
	Head   uint64
	Chain  action.Chain
	Oldest uint64 // the first entry that is kept
}

// Head is a log's name and the index of its last entry.
type Head struct {
	Stream string
	Head   uint64
}

// Use is what of a principal's is kept: the streams that it has begun, the bytes of its actions in logs, those of its entries in data streams,
// and those of entries of which parts are still to come.
type Use struct{ Streams, Bytes, Data, Parts int64 }

// Nobody owns the client ids of a principal that was forgotten. No token's subject and no secret's name begins so.
const Nobody = "\x00nobody"

// Entry is one stored action.
type Entry struct {
	Stored int64        // Unix milliseconds
	By     string       // subject of the principal
	Chain  action.Chain // at this entry
	Raw    string       // canonical bytes of the action
}

// Checkpoint is the state at an index, in core's canonical encoding, and what else the server must know of the entries up to there.
type Checkpoint struct {
	Index  uint64
	Epoch  action.UUID
	Chain  action.Chain
	Bytes  int // of the encoding
	SHA256 [sha256.Size]byte
	Packed []byte // the encoding, by gzip
	Owners []byte // JSON: which principal first used each client id
	Leases []byte // JSON: when each client that holds locks was last heard of, Unix milliseconds
}

// ErrConflict says that the log has another head, or another epoch, than the append was made for.
var ErrConflict = errors.New("the log has another head")

// ErrClosed says that the engine was closed.
var ErrClosed = errors.New("the engine is closed")
