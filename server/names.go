package server

import (
	"github.com/strandline-sync/strandline/server/actions"
	"github.com/strandline-sync/strandline/server/data"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
)

// What a program that holds a server calls by name is here, wherever it lives.
type (
	// Engine keeps the logs.
	Engine = engine.Engine

	// Auth is the two questions of every request.
	Auth = rights.Auth
	// Principal is who asks.
	Principal = rights.Principal
	// Right is what a principal may do with a stream.
	Right = rights.Right

	// Quota is what of a principal's may be kept, and what it may have done.
	Quota = rights.Quota
	// Retention is how much of a stream's log is kept.
	Retention = rights.Retention

	// Write is what a program that holds the server appends.
	Write = actions.Write
	// Written is what came of it.
	Written = actions.Written

	// Consumed is what a consumer hears of one stream.
	Consumed = actions.Consumed
	// Entry is one of a log.
	Entry = actions.Entry
	// ErrReset says that another log is in the place of the one that was consumed.
	ErrReset = actions.ErrReset
	// ErrGap says that entries which were not consumed yet are not kept.
	ErrGap = actions.ErrGap

	// Judge judges batches before the stream is taken.
	Judge = actions.Judge
	// Batch is what one request offers to one stream.
	Batch = actions.Batch
	// Judged is an action that a hook judges.
	Judged = actions.Judged
	// View is a stream's state, as a hook sees it.
	View = actions.View
	// JudgedEntry is an entry of a data stream that a hook judges.
	JudgedEntry = data.JudgedEntry
)

// The rights.
const (
	Read   = rights.Read
	Append = rights.Append
	Delete = rights.Delete
	List   = rights.List
)

// None lets everybody do everything. It is for loopback addresses only.
func None() Auth { return rights.None() }

// Secret lets those in who bear one shared secret.
func Secret(secret string) Auth { return rights.Secret(secret) }
