// Package conflict is what a client is told of writes that lost, or that replaced one which its author had not seen.
package conflict

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// Conflict is a write of this client that lost, or that replaced one which its author had not seen; told once it is
// confirmed. Values are canonical JSON, empty where there is none. Other is nil where nobody is known.
type Conflict struct {
	Kind   Kind
	Reason state.Reason // of a discarded one
	Object action.UUID
	Key    string       // empty for the whole object
	Mine   string       // what this client wrote
	Theirs string       // what somebody else wrote
	Base   string       // what both started from, as far as it is known
	Action action.UUID  // this client's
	Other  *state.Touch // the other write
	Index  uint64       // of the entry that decided it
	At     int64        // its time, Unix milliseconds
	Part   action.Part  // how Mine was written
}

// Kind is what became of this client's write.
type Kind string

// The kinds.
const (
	Overwritten Kind = "overwritten" // another client replaced it unseen
	Overwrote   Kind = "overwrote"   // it replaced another client's, unseen
	Discarded   Kind = "discarded"   // it came into the log and does not stand
	Gap         Kind = "gap"         // a checkpoint stood for entries Base to Index: of these nothing is told
)

// bytes is about what a report takes.
func (c *Conflict) bytes() int { return 160 + len(c.Key) + len(c.Mine) + len(c.Theirs) + len(c.Base) }

// own makes its strings its own: views would keep whole records alive.
func (c *Conflict) own() {
	for _, s := range []*string{&c.Key, &c.Mine, &c.Theirs, &c.Base} {
		*s = strings.Clone(*s)
	}
	if c.Other != nil {
		other := *c.Other
		c.Other = &other
	}
}

// Append appends it as JSON. A value that is not there is left out.
func (c *Conflict) Append(b []byte) []byte {
	b = action.PutID(append(b, '{'), "object", c.Object)
	b = action.PutText(b, "key", c.Key)
	b = action.PutText(b, "kind", string(c.Kind))
	if c.Reason == state.ReasonNone {
		b = action.PutJSON(b, "reason", "null")
	} else {
		b = action.PutText(b, "reason", string(c.Reason))
	}
	for i, value := range [...]string{c.Mine, c.Theirs, c.Base} {
		if value != "" {
			b = action.PutJSON(b, [...]string{"mine", "theirs", "base"}[i], value)
		}
	}
	b = action.PutID(b, "action", c.Action)
	if o := c.Other; o == nil {
		b = action.PutJSON(b, "other", "null")
	} else {
		b = action.PutID(action.PutJSON(b, "other", "{"), "action", o.Action)
		b = append(action.PutInt(action.PutID(b, "client", o.Client), "index", int64(o.Index)), '}')
	}
	return append(action.PutInt(action.PutInt(b, "index", int64(c.Index)), "at", c.At), '}')
}
