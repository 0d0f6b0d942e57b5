package loop

import (
	"github.com/strandline-sync/strandline/core/action"
)

// StreamState is what the loop does for a stream.
type StreamState string

// The states of a stream.
const (
	StateStarting StreamState = "starting" // the local log is being read
	StateSyncing  StreamState = "syncing"  // a turn is under way
	StateLive     StreamState = "live"     // the last round trip succeeded
	StateOffline  StreamState = "offline"  // no network, or no server was named
	StateWaiting  StreamState = "waiting"  // the last one failed; the next comes at Status.NextAt
	StateHeld     StreamState = "held"     // no valid token; pending actions are kept
	StateStopped  StreamState = "stopped"  // cannot go on; Reason and Err say why; reading still works
)

// Status is a stream's state as apps see it.
type Status struct {
	State      StreamState
	Reason     string // "upgrade", "forbidden", "corrupt", or empty
	Head       uint64
	Pending    int
	Rejected   int
	NextAt     int64 // Unix milliseconds; 0 when nothing is scheduled
	Because    string
	LastSynced int64 // Unix milliseconds; 0 for never
	Err        *action.Error
}
