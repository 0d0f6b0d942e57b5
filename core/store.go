package core

import (
	"context"
	"errors"
)

// Store keeps the local logs of one database. Its methods may block, and may be called from several goroutines; the
// database may be open in other contexts (tabs, workers) at the same time.
//
// An error other than ErrLost, ErrGone and a quota *Error says nothing of the outcome: the caller reads the log to learn it.
type Store interface {
	// Load reads the records of a stream with an lsn from on, in order and without a hole: those of one moment.
	// A stream that was never written has none. A failed read is an error, never an empty answer.
	Load(ctx context.Context, stream string, from LSN) ([][]byte, error)

	// Append commits record lsn: durable when it returns nil. The last record of the stream must be lsn-1, else nothing is
	// written and the error is ErrLost: another context was first. Where even lsn-1 is not there any more, or
	// lsn is 0 and the stream has records, the error is ErrGone or ErrLost in that order of meaning:
	// ErrGone says that the log the caller follows has been destroyed.
	Append(ctx context.Context, stream string, lsn LSN, record []byte) error

	// Streams lists the streams that have a local log.
	Streams(ctx context.Context) ([]string, error)

	// Destroy deletes the database.
	Destroy(ctx context.Context) error

	// Close lets go of the database; calls that come after it fail with a closed *Error.
	Close() error
}

// ErrLost says that another context committed first: catch up and try again.
var ErrLost = errors.New("another context committed first")

// ErrGone says that the local log is not there any more: it was destroyed.
var ErrGone = fail(CodeClosed, "", "the local log was destroyed")
