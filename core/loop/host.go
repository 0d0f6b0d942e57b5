package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Host is what the core needs of the world it runs in. The core is single-threaded: all its functions are called on
// one thread, the host's, and a host runs what it is handed on that thread.
type Host interface {
	// Now is the wall time in Unix milliseconds. It labels actions and schedules the loop; no rule of the fold reads it.
	Now() int64
	// After runs f on the thread in ms milliseconds, unless cancelled before.
	After(ms int64, f func()) (cancel func())
	// Do runs work, which may block, off the thread, and then on the thread what it returns.
	Do(work func() (then func()))
	// NewID makes a fresh UUID for an action or object; version 7, so that ids sort by time.
	NewID() action.UUID
	// Random is in [0, 1): the jitter of pauses.
	Random() float64
}
