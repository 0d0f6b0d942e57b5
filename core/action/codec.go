package action

import "encoding/binary"

// What is stored and not JSON is written by encoder: little-endian uvarints, and strings as a uvarint length and the
// bytes. decoder reads it, and notes in bad what is not of that form.
//
// The methods of encoder and decoder are called from everywhere and are quick beside what calls them: inlined, they
// would be a fiftieth of the program.
type Encoder struct{ B []byte }

// NewEncoder writes behind what is in b.
func NewEncoder(b []byte) *Encoder { return &Encoder{b} }

// Whole is all that was written.
func (e *Encoder) Whole() []byte { return e.B }

func (e *Encoder) Len() int { return len(e.B) }

// Raw writes bytes as they are.
func (e *Encoder) Raw(b []byte) { e.B = append(e.B, b...) }

//go:noinline
func (e *Encoder) Uint(n uint64) { e.B = binary.AppendUvarint(e.B, n) }

//go:noinline
func (e *Encoder) UUID(u UUID) { e.B = append(e.B, u[:]...) }

//go:noinline
func (e *Encoder) String(s string) { e.Uint(uint64(len(s))); e.B = append(e.B, s...) }

type Decoder struct {
	b   string
	i   int
	bad bool
}

func NewDecoder(text string) *Decoder { return &Decoder{b: text} }

// Fail takes note that the text is not of the form.
func (d *Decoder) Fail() { d.bad = true }

// Broken tells whether the text was not of the form.
func (d *Decoder) Broken() bool { return d.bad }

// Ended tells whether all was read, and was of the form.
func (d *Decoder) Ended() bool { return !d.bad && d.i == len(d.b) }

func (d *Decoder) Uint() uint64 {
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

func (d *Decoder) bytes(n uint64) string {
	if d.bad || n > uint64(len(d.b)-d.i) {
		d.bad = true
		return ""
	}
	s := d.b[d.i : d.i+int(n)]
	d.i += int(n)
	return s
}

//go:noinline
func (d *Decoder) String() string { return d.bytes(d.Uint()) }

//go:noinline
func (d *Decoder) UUID() (u UUID) {
	copy(u[:], d.bytes(16))
	return u
}

// More tells whether anything follows: records of earlier versions end sooner.
func (d *Decoder) More() bool { return !d.bad && d.i < len(d.b) }

// Count reads how many items follow, each of at least size bytes: a broken count allocates nothing.
func (d *Decoder) Count(size int) int {
	n := d.Uint()
	if n > uint64((len(d.b)-d.i)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

//go:noinline
func (e *Encoder) Bool(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	e.Uint(n)
}

//go:noinline
func (d *Decoder) Bool() bool { return d.Uint() != 0 }

//go:noinline
func (e *Encoder) Chain(c Chain) { e.B = binary.LittleEndian.AppendUint64(e.B, uint64(c)) }

func (d *Decoder) Chain() Chain {
	if c := d.bytes(8); !d.bad {
		return Chain(binary.LittleEndian.Uint64([]byte(c)))
	}
	return 0
}

func (e *Encoder) Rejection(j *Rejection) {
	e.UUID(j.ID)
	e.String(j.Code)
	e.String(j.Message)
	e.UUID(j.Because)
}

func (d *Decoder) Rejection() Rejection {
	return Rejection{ID: d.UUID(), Code: d.String(), Message: d.String(), Because: d.UUID()}
}

// Action reads an action's bytes, which are canonical in all that this module writes.
func (d *Decoder) Action(a *Action, sl *Slab) error {
	raw := d.String()
	if d.bad {
		return Corrupt("a local record has a broken body")
	}
	if err := DecodeInto(a, raw, sl); err != nil {
		return err
	}
	if a.Raw != raw {
		return Corrupt("a local record holds an action that is not canonical")
	}
	return nil
}

// Corrupt is what a stored text is that cannot be read.
//
//go:noinline
func Corrupt(why string) error { return Fail(CodeCorrupt, "", ""+why) }
