package state

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
)

// Touch is one write as the state remembers it. Index is 0 while the action is pending.
type Touch struct {
	Index  uint64
	Client action.UUID
	Action action.UUID
}

// field is one key of an object. An unset key keeps its last write: value is then empty, which no canonical JSON is.
type field struct {
	key   uint32 // into State.names
	value string
	write *Touch
}

// fieldBytes is about what a field takes.
const fieldBytes = 40

func (f *field) set(value string, write *Touch) { f.value, f.write = value, write }

// object is one live object. Its fields are sorted by key. While undo records or images are kept, they share the fields,
// which an update then replaces and does not write in place.
type object struct {
	id      action.UUID
	typ     uint32 // into State.names
	version uint32 // changes with every change of type or values, and with nothing else
	live    bool
	locked  bool
	lock    action.UUID
	fields  []field
	bytes   int    // canonical size of the fields: the opening brace, then each member with the comma or brace after it
	touch   *Touch // the last create or update that applied
	other   *Touch // the last one by another client than touch's
}

// State is what a log folds to: all that a checkpoint holds. A replica keeps the visible state in one: the confirmed
// state with its pending actions applied on top, each with an Undo.
//
// A State is not safe for concurrent use.
type State struct {
	Head  uint64
	Chain action.Chain
	Epoch action.UUID

	objects objectTable
	free    []Slot
	byID    map[action.UUID]Slot
	clients clients.Table

	names   []string
	nameIDs map[string]uint32
	version uint32
	locks   int // how many objects are locked

	Counts Counts
	arena  arena
	tidy   tidy

	// step collects what each object was before the first change since it was set; nothing, where its map is nil.
	step Step

	paging *paging // of a replica whose state is checkpointed, else nil

	inOrder map[string]bool // types whose rows have their keys in the order of their writes
	later   func(a, b action.UUID) bool
	sorted  []field // room for those of one row
}

// NewState is the state of an empty log.
func NewState() *State {
	return &State{byID: map[action.UUID]Slot{}, nameIDs: map[string]uint32{}, clients: clients.New()}
}

// Fold is the state that a log leads to.
func Fold(entries []*action.Action) *State {
	s := NewState()
	for _, a := range entries {
		s.ApplyEntry(a, nil, nil)
	}
	return s
}

// Len is the number of live objects.
func (s *State) Len() int { return len(s.byID) }

// Exists tells whether an object is there.
func (s *State) Exists(id action.UUID) bool { _, ok := s.byID[id]; return ok }

// Lock tells which client holds an object's lock.
func (s *State) Lock(id action.UUID) (holder action.UUID, locked bool) {
	if o := s.object(id); o != nil {
		return o.lock, o.locked
	}
	return action.Nil, false
}

// LockHolders lists the clients that hold an object, sorted by id.
func (s *State) LockHolders() []action.UUID {
	var ids []action.UUID
	for slot := range s.objects.n {
		if o := s.objects.at(slot); o.live && o.locked {
			ids = append(ids, o.lock)
		}
	}
	slices.SortFunc(ids, action.UUID.Compare)
	return slices.Compact(ids)
}

// LockedBy lists the objects that a client holds, sorted by id.
func (s *State) LockedBy(client action.UUID) []action.UUID {
	if s.locks == 0 {
		return nil
	}
	s.Counts.Visited += int(s.objects.n)
	var ids []action.UUID
	for slot := range s.objects.n {
		if o := s.objects.at(slot); o.live && o.locked && o.lock == client {
			ids = append(ids, o.id)
		}
	}
	action.SortBy(len(ids), func(i, j int) bool { return ids[i].Compare(ids[j]) < 0 }, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// LastSeq is the last seq of a client in the log, 0 for one that has no row.
func (s *State) LastSeq(client action.UUID) uint64 {
	row, _ := s.clients.Get(client)
	return row.Seq
}

// LastIndex is the index of a client's last entry in the log, 0 for one that has no row.
func (s *State) LastIndex(client action.UUID) uint64 {
	row, _ := s.clients.Get(client)
	return row.Index
}

func (s *State) object(id action.UUID) *object {
	s.Counts.Visited++
	slot, ok := s.byID[id]
	if !ok {
		return nil
	}
	return s.objects.at(slot)
}

// name interns a type or key.
func (s *State) name(text string) uint32 {
	if id, ok := s.nameIDs[text]; ok {
		return id
	}
	id := uint32(len(s.names))
	text = string(append([]byte(nil), text...)) // not a view into a record, which it would keep alive
	s.names = append(s.names, text)
	s.nameIDs[text] = id
	return id
}

// field finds a key among sorted fields.
func (s *State) field(fields []field, key string) (i int, found bool) {
	id, ok := s.nameIDs[key]
	if !ok {
		return 0, false
	}
	if len(fields) <= 16 {
		for i := range fields {
			if fields[i].key == id {
				return i, true
			}
		}
		return 0, false
	}
	low, high := 0, len(fields)
	for low < high {
		mid := (low + high) / 2
		switch c := action.CompareKeys(s.names[fields[mid].key], key); {
		case c == 0:
			return mid, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return 0, false
}

func (s *State) value(o *object, key string) (string, bool) {
	if o == nil {
		return "", false
	}
	if i, ok := s.field(o.fields, key); ok && o.fields[i].value != "" {
		return o.fields[i].value, true
	}
	return "", false
}

// insert puts an object into a free slot.
func (s *State) insert(o object) Slot {
	var slot Slot
	if n := len(s.free); n > 0 {
		slot, s.free = s.free[n-1], s.free[:n-1]
		*s.objects.at(slot) = o
	} else {
		slot = s.objects.add(&o)
	}
	s.byID[o.id] = slot
	if o.locked {
		s.locks++
	}
	return slot
}

// drop takes an object out.
func (s *State) drop(id action.UUID) {
	slot := s.byID[id]
	delete(s.byID, id)
	if s.objects.at(slot).locked {
		s.locks--
	}
	*s.objects.at(slot) = object{}
	s.free = append(s.free, slot)
}

// note remembers what an object was before its first change since changes are collected. o is nil where it was absent.
func (s *State) note(id action.UUID, o *object) {
	if s.paging != nil {
		s.paging.changed(id, o)
	}
	if s.step.before == nil {
		return
	}
	if _, seen := s.step.before[id]; seen {
		return
	}
	s.step.order = append(s.step.order, id)
	if o == nil {
		s.step.before[id] = object{}
		return
	}
	s.step.before[id] = *o
}

// sharing tells whether somebody may hold an object's fields as they were.
func (s *State) sharing() bool {
	return s.step.before != nil || s.paging != nil && s.paging.snap != nil
}

func (s *State) bump(o *object) {
	s.version++
	o.version = s.version
}

// own makes room for n more keys, in a copy of the fields where they are shared.
func (s *State) own(o *object, n int, shared bool) {
	if shared || cap(o.fields)-len(o.fields) < n {
		s.Counts.Copied += len(o.fields) * fieldBytes
		o.fields = append(s.arena.fieldsFor(len(o.fields)+n), o.fields...)
	}
}
