package locallog

import (
	"context"
	"errors"

	"github.com/strandline-sync/strandline/core/action"
)

// Store keeps the local logs of one database, and beside each its last checkpoint. Its methods may block, and may be called
// from several goroutines; the database may be open in other contexts (tabs, workers) at the same time.
//
// An error other than ErrLost, ErrGone and a quota *Error says nothing of the outcome: the caller reads the log to learn it.
type Store interface {
	// Load reads a local log as it is at one moment: its records with an lsn from on, in order and without a hole. Where from is 0,
	// or record from-1 is gone because a checkpoint has taken its place, it gives that checkpoint and the records after it.
	// A stream that was never written has nothing of all that. A failed read is an error, never an empty answer.
	Load(ctx context.Context, stream string, from LSN) (Log, error)

	// Append commits record lsn: durable when it returns nil. The last record of the stream must be lsn-1, else nothing is
	// written and the error is ErrLost: another context was first. Where the stream has nothing any more, the
	// error is ErrGone: the log that the caller follows has been destroyed. Record 0 is written only where the stream has nothing.
	// With it, what is shown is stored, of this record and of the one before.
	Append(ctx context.Context, stream string, lsn LSN, record []byte, shown ...Shown) error

	// Show stores what is shown at a record that is there; where it is not any more, or something is shown at it already, the error is
	// ErrLost.
	Show(ctx context.Context, stream string, shown Shown) error

	// Manifest reads the manifest of the last checkpoint; nil where there is none.
	Manifest(ctx context.Context, stream string) ([]byte, error)

	// Pages reads pages by their names; where one is not there any more, the error is ErrLost.
	Pages(ctx context.Context, stream string, names []string) ([][]byte, error)

	// Remains reads whatever there is of a stream, of which Load or who reads its answer has said that it is damaged.
	Remains(ctx context.Context, stream string) (Remains, error)

	// Checkpoint stores a checkpoint in one step, and deletes what it replaces: the records below its lsn, and
	// the pages it drops. The stored manifest must be the one it was built on, and its record must be there, else nothing
	// changes and the error is ErrLost. Where it brings that record with it, this is also the commit of the record: the last one
	// must be the one before, as with Append.
	Checkpoint(ctx context.Context, stream string, c *Checkpoint) error

	// Streams lists the streams that have a local log, always in the same order.
	Streams(ctx context.Context) ([]string, error)

	// Destroy deletes the database, and closes the store. Where next is not nil, the local logs must be those that it names, and the
	// next record of each the given one, else nothing is deleted, the store stays open, and the error is ErrLost.
	Destroy(ctx context.Context, next map[string]LSN) error

	// Close lets go of the database; calls that come after it fail with a closed *Error.
	Close() error
}

// Log is a local log as a store gives it.
type Log struct {
	Manifest []byte   // nil where no checkpoint was asked for, or there is none
	Pages    [][]byte // as the manifest names them
	Records  [][]byte // from the lsn that was asked for on, or from the one after the manifest's
}

// Shown is what an app sees at a record, as JSON text for who reads it without the core: what has changed since the record before, or
// all of it beside a checkpoint. It follows from the log, and nothing follows from it: where it is missing, the log is read.
type Shown struct {
	LSN  LSN
	Text string
}

// Checkpoint is a local checkpoint on its way into the store.
type Checkpoint struct {
	LSN      LSN    // of the last record that it holds; that one stays
	Record   []byte // nil, or that record itself
	Base     []byte
	Manifest []byte
	Pages    []Page   // new ones
	Drop     []string // pages that Base named and Manifest does not
	Spare    []byte   // goes where that of the checkpoint before was
	Shown    string   // what an app sees at LSN, beside the rows of the pages; that of the records before goes
	Afresh   bool     // what is shown of other pages than the new ones goes, whatever names them
}

// Page is a part of a checkpoint: at most 256 KiB, but for one object that is larger.
type Page struct {
	Name  string
	Bytes []byte
	Rows  string // a JSON array of its objects' rows, which goes with it; empty for none
}

// ErrLost says that another context committed first: catch up and try again.
var ErrLost = errors.New("another context committed first")

// ErrGone says that the local log is not there any more: it was destroyed.
var ErrGone = action.Fail(action.CodeClosed, "", "the local log was destroyed")
