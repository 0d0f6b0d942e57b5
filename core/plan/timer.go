package plan

// TimerKind is what a timer is for.
type TimerKind uint8

// The kinds: of the database, and of a stream.
const (
	TurnTimer    TimerKind = iota + 1 // the loop's pause
	HintsTimer                        // the next try of a connection for hints
	StoreTimer                        // the store is asked again
	CompactTimer                      // a local checkpoint is due
	LookTimer                         // what other contexts have committed is read
	MendTimer                         // the next try of a repair
	WorkTimer                         // the next turn of a data stream, of the database
)

// TimerID names a timer: of a stream, or, without one, the database's.
type TimerID struct {
	Kind   TimerKind
	Stream StreamID
}

// Timer is when Fired is to come, in Unix milliseconds; at 0 never, whatever was set before.
type Timer struct {
	ID TimerID
	At int64
}
