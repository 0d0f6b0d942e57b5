package action

// Limits of one action. The server and the client keep the same ones.
const (
	MaxName        = 128               // bytes of a type or field key
	MaxDepth       = 64                // levels of nesting; the action is level 1
	MaxOps         = 1000              // ops of one action
	MaxGuards      = 100               // guards of one action
	MaxValues      = 1000              // values of one union or without
	MaxArray       = 10000             // elements of an array after union
	MaxFieldsBytes = 1 << 20           // canonical bytes of an object's fields
	MaxMeta        = 4 << 10           // canonical bytes of meta
	MaxActionBytes = 256 << 10         // canonical bytes of an action
	MaxInteger     = uint64(1)<<53 - 1 // largest index, seq and base: what a double holds exactly
)

// Action is an immutable record made by one client. Its strings point into Raw.
type Action struct {
	ID, Client UUID
	Seq        uint64 // counts the client's actions from 1; 0 for the server's own, and before a record gives one
	Base       uint64 // the local head when the app made it
	At         string // wall time, for people; no rule reads it
	Ops        []Op
	Guards     []Guard
	Atomic     bool
	For        Maker  // who has made it, where another profile has taken it over and sent it
	Meta       string // canonical JSON, or empty
	Raw        string // canonical bytes of the whole action
}

// Maker is the client that has made an action, and its seq there; none where that is 0.
type Maker struct {
	Client UUID
	Seq    uint64
}

// OpKind is what an op does.
type OpKind uint8

// The four ops. Unlock is written by the server alone.
const (
	Create OpKind = iota
	Update
	Remove
	Unlock
)

var opNames = [...]string{"create", "update", "remove", "unlock"}

func (k OpKind) String() string { return opNames[k] }

// Op changes one object.
type Op struct {
	Kind    OpKind
	Lock    bool // create only: its client holds the object
	Object  UUID
	Type    string   // create only
	Changes []Change // create: PartSet only; update: in the order of Part
}

// Part is one of the ways in which an update changes a key; their order is the order of application.
type Part uint8

// The parts of an update.
const (
	PartSet Part = iota
	PartUnset
	PartInc
	PartUnion
	PartWithout
)

// Change is what an op does to one key. Value is canonical: the value of set, the number of inc, the array of union and without.
type Change struct {
	Part  Part
	Key   string
	Value string
}

// GuardKind is what a guard asks.
type GuardKind uint8

// The guards.
const (
	GuardObject    GuardKind = iota // the object exists, or not
	GuardKey                        // the key exists, or not
	GuardEquals                     // the key has this value
	GuardUnchanged                  // nobody else touched the object since base
)

// Guard is a condition read against the state before the action.
type Guard struct {
	Kind   GuardKind
	Exists bool
	Object UUID
	Key    string
	Value  string // canonical
}
