package queue

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Draft is what an app asks for: an action before it has an author and a place.
type Draft struct {
	ID     action.UUID
	At     int64  // Unix milliseconds
	Ops    string // JSON array of ops
	Guards string // JSON array, or empty
	Atomic bool
	Meta   string // JSON, or empty
	Upon   uint64 // one more than the head of what its author has seen; 0 for the head of now

	Retries action.UUID // the refused action that it takes the place of

	Objects []action.UUID // that its ops name, once it was written
}
