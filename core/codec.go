package core

import "encoding/binary"

// What is stored and not JSON is written by encoder: little-endian uvarints, and strings as a uvarint length and the bytes. decoder reads it, and
// notes in bad what is not of that form.
//
// The methods of encoder and decoder are called from everywhere and are quick beside what calls them: inlined, they would be
// a fiftieth of the program.
type encoder struct{ b []byte }

// newEncoder writes behind what is in b.
func newEncoder(b []byte) *encoder { return &encoder{b} }

// whole is all that was written.
func (e *encoder) whole() []byte { return e.b }

func (e *encoder) len() int { return len(e.b) }

// raw writes bytes as they are.
func (e *encoder) raw(b []byte) { e.b = append(e.b, b...) }

//go:noinline
func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

//go:noinline
func (e *encoder) uuid(u UUID) { e.b = append(e.b, u[:]...) }

//go:noinline
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

type decoder struct {
	b   string
	i   int
	bad bool
}

func newDecoder(text string) *decoder { return &decoder{b: text} }

// fail takes note that the text is not of the form.
func (d *decoder) fail() { d.bad = true }

// broken tells whether the text was not of the form.
func (d *decoder) broken() bool { return d.bad }

// ended tells whether all was read, and was of the form.
func (d *decoder) ended() bool { return !d.bad && d.i == len(d.b) }

func (d *decoder) uint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		if d.i >= len(d.b) {
			break
		}
		c := d.b[d.i]
		d.i++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) bytes(n uint64) string {
	if d.bad || n > uint64(len(d.b)-d.i) {
		d.bad = true
		return ""
	}
	s := d.b[d.i : d.i+int(n)]
	d.i += int(n)
	return s
}

//go:noinline
func (d *decoder) string() string { return d.bytes(d.uint()) }

//go:noinline
func (d *decoder) uuid() (u UUID) {
	copy(u[:], d.bytes(16))
	return u
}

// more tells whether anything follows: records of earlier versions end sooner.
func (d *decoder) more() bool { return !d.bad && d.i < len(d.b) }

// count reads how many items follow, each of at least size bytes: a broken count allocates nothing.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64((len(d.b)-d.i)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

//go:noinline
func (e *encoder) bool(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	e.uint(n)
}

//go:noinline
func (d *decoder) bool() bool { return d.uint() != 0 }

//go:noinline
func (e *encoder) chain(c Chain) { e.b = binary.LittleEndian.AppendUint64(e.b, uint64(c)) }

func (d *decoder) chain() Chain {
	if c := d.bytes(8); !d.bad {
		return Chain(binary.LittleEndian.Uint64([]byte(c)))
	}
	return 0
}

func (e *encoder) rejection(j *Rejection) {
	e.uuid(j.ID)
	e.string(j.Code)
	e.string(j.Message)
	e.uuid(j.Because)
}

func (d *decoder) rejection() Rejection {
	return Rejection{ID: d.uuid(), Code: d.string(), Message: d.string(), Because: d.uuid()}
}

// action reads an action's bytes, which are canonical in all that this module writes.
func (d *decoder) action(a *Action, sl *slab) error {
	raw := d.string()
	if d.bad {
		return corrupt("a local record has a broken body")
	}
	if err := decodeAction(a, raw, sl); err != nil {
		return err
	}
	if a.Raw != raw {
		return corrupt("a local record holds an action that is not canonical")
	}
	return nil
}

// corrupt is what a stored text is that cannot be read.
//
//go:noinline
func corrupt(why string) error { return fail(CodeCorrupt, "", ""+why) }
