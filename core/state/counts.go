package state

// Counts is what a state has had to do: it grows with what is touched, and not with what is there. Tests hold costs by
// it, as a clock cannot.
type Counts struct {
	Visited   int // objects that were looked up, or looked at by a scan
	Applied   int // actions
	TakenBack int // actions that were unapplied
	Copied    int // bytes of fields
}
