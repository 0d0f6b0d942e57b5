package state

import "github.com/strandline-sync/strandline/core/action"

// Memory follows what is there, and not what was. Values are views into the texts that they came in, fields and touches lie in
// blocks, and one of them that lives keeps the whole text or block. So when as much has come in as was there, what lives is copied
// out, and the rest goes: each byte is copied about once, and what is held is at most about twice what lives.

// TidyLeast is how many bytes come in before that is worth while; tests take fewer.
var TidyLeast = 1 << 20

const (
	tidySlots = 512      // objects that are copied in one step
	textBlock = 16 << 10 // bytes of values that lie together
	touchCost = 40       // bytes of a touch
)

// tidy is how far that is.
type tidy struct {
	came    int  // bytes that have come in since the last walk began
	lived   int  // bytes that it found alive
	walking bool // one is under way
	next    Slot // and has come so far
	found   int  // bytes alive, so far
	text    []byte
}

// Came takes note of bytes of text that actions point into.
func (s *State) Came(bytes int) { s.tidy.came += bytes }

// Lives takes note of bytes that are all alive: of a checkpoint that was read.
func (s *State) Lives(bytes int) {
	s.tidy.lived += bytes + s.arena.took
	s.arena.took = 0
}

// Untidy tells whether there is something to copy.
func (s *State) Untidy() bool {
	t := &s.tidy
	return t.walking || t.came+s.arena.took >= max(TidyLeast, t.lived)
}

// Tidy copies the next objects; rows and versions stay as they are.
func (s *State) Tidy() {
	t := &s.tidy
	if !t.walking {
		*t = tidy{walking: true, lived: t.lived}
		s.arena = arena{}
	}
	end := min(t.next+tidySlots, s.objects.n)
	s.Counts.Visited += int(end - t.next)
	for ; t.next < end; t.next++ {
		if o := s.objects.at(t.next); o.live {
			s.copyOut(o)
		}
	}
	if t.next == s.objects.n {
		t.walking, t.lived, t.text = false, t.found, nil
	}
}

// copyOut gives an object fields, values and touches of its own.
func (s *State) copyOut(o *object) {
	from, to := [4]*Touch{}, [4]*Touch{} // fields are often of one write
	n := 0
	touch := func(t *Touch) *Touch {
		if t == nil || t.Index == 0 { // of a pending action: its undo record writes the index into it
			return t
		}
		for i := range n {
			if from[i] == t {
				return to[i]
			}
		}
		p := s.arena.touch(*t)
		s.tidy.found += touchCost
		if n < len(from) {
			from[n], to[n] = t, p
			n++
		}
		return p
	}
	fields := s.arena.fieldsFor(len(o.fields))
	for i := range o.fields {
		f := &o.fields[i]
		fields = append(fields, field{f.key, s.tidy.keep(f.value), touch(f.write)})
	}
	o.fields, o.touch, o.other = fields, touch(o.touch), touch(o.other)
	s.tidy.found += o.bytes + len(fields)*fieldBytes
	s.arena.took = 0 // what is copied has not come in
}

// keep copies a value.
func (t *tidy) keep(value string) string {
	if len(value) > textBlock/4 {
		return string([]byte(value))
	}
	if cap(t.text)-len(t.text) < len(value) {
		t.text = make([]byte, 0, textBlock)
	}
	from := len(t.text)
	t.text = append(t.text, value...)
	return action.View(t.text[from:])
}
