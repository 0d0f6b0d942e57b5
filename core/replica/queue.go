package replica

import (
	"iter"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/record"
)

// Client is this local log's client id.
func (r *Replica) Client() action.UUID { return r.log.Client }

// Name is the stream's name.
func (r *Replica) Name() string { return r.name }

// User is whose local log this is.
func (r *Replica) User() string { return r.log.User }

// LogID tells one local log from the next one of that name.
func (r *Replica) LogID() action.UUID { return r.log.Log }

// NextLSN is the number of the next record.
func (r *Replica) NextLSN() locallog.LSN { return r.next }

// Founding is record 0 of this local log.
func (r *Replica) Founding() []byte { return record.EncodeInit(r.log) }

// NewLog is record 0 of a local log that does not exist yet.
func NewLog(log, client action.UUID, user string, conflictFree bool) []byte {
	return record.EncodeInit(record.Init{Log: log, Client: client, User: user, ConflictFree: conflictFree})
}

// Queued is how many actions are pending in the local log.
func (r *Replica) Queued() int { return len(r.q.Pending) }

// Uncommits tells whether something waits to be committed.
func (r *Replica) Uncommits() bool { return len(r.q.Uncommitted)+len(r.discards) > 0 }

// Unsent is how many actions are not in the log yet, nor refused.
func (r *Replica) Unsent() int { return r.q.Len() }

// Unsettled are their ids.
func (r *Replica) Unsettled() map[action.UUID]bool {
	ids := make(map[action.UUID]bool, r.Unsent())
	for _, l := range r.q.All() {
		ids[l.ID] = true
	}
	return ids
}

// AppendPending writes the actions that are not in the log yet as a JSON array, in order; those that name the object,
// where one is given. The seq of one that is not in the local log yet is null.
func (r *Replica) AppendPending(dst []byte, object *action.UUID) []byte {
	dst = append(dst, '[')
	begin := len(dst)
	for i, l := range r.q.All() {
		if object != nil && !l.Names(*object) {
			continue
		}
		if len(dst) > begin {
			dst = append(dst, ',')
		}
		if committed := i < len(r.q.Pending); committed {
			dst = append(dst, l.Raw...)
			continue
		}
		dst = append(dst, l.Raw[:strings.LastIndexByte(l.Raw, ':')+1]...)
		dst = append(dst, "null}"...)
	}
	return append(dst, ']')
}

// IsPending tells whether a pending or uncommitted action names the object.
func (r *Replica) IsPending(object action.UUID) bool { return r.q.Touches(object) }

// PendingObjects are the objects of which IsPending is true, in no order that means anything.
func (r *Replica) PendingObjects() iter.Seq[action.UUID] { return r.q.Objects() }
