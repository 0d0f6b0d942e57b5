package plan

import "strings"

// WakeUp is one turn of the loop as people see it.
type WakeUp struct {
	At, Took                     int64 // Unix milliseconds; milliseconds
	Because                      string
	Data                         string // the data stream whose turn it was; empty for that of the action streams
	Streams                      string // the action streams that were asked for, separated by spaces; "…" for those beyond the first few
	Cost                         Cost
	Fetched, Persisted, Rejected int
	Code                         string // of the error that ended it, or empty
}

// mostWakeUps is how many are remembered.
const mostWakeUps = 100

// WakeUps are the last ones.
type WakeUps struct{ list []WakeUp }

// All lists them, oldest first.
func (t *WakeUps) All() []WakeUp { return t.list }

// Add remembers one more.
func (t *WakeUps) Add(w WakeUp) {
	if len(t.list) == mostWakeUps {
		t.list = append(t.list[:0:0], t.list[mostWakeUps/10:]...)
	}
	t.list = append(t.list, w)
}

// mostNamed is how many streams a turn names.
const mostNamed = 5

// Named lists streams for people.
func Named(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, " ")
	}
	return strings.Join(names[:mostNamed], " ") + " …"
}
