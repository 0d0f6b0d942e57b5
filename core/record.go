package core

import (
	"encoding/binary"
	"hash/crc32"
)

// LSN numbers the records of a local log: 0, 1, 2, …
type LSN uint64

// RecordFormat is the format of the records that this version writes. Readers refuse newer ones (CodeUpgrade).
const RecordFormat = 1

type recordKind byte

const (
	recordInit   recordKind = 'i' // record 0: what the log is
	recordCommit recordKind = 'c' // new pending actions
	recordTurn   recordKind = 't' // one turn of the loop

	// recordInstall stands where a checkpoint of the server took the place of all that was before; it is committed with that, and never read.
	recordInstall recordKind = 'k'

	// What a local checkpoint is made of; they stand beside the log, not in it.
	recordManifest recordKind = 'm'
	recordPage     recordKind = 'p' // objects of the confirmed state
	recordRest     recordKind = 'r' // everything else
)

// A record is one binary value:
//
//	version (1 byte) · kind (1 byte) · length of the body (4 bytes) · CRC-32C of the body (4 bytes) · body
//
// Integers are little-endian; in bodies they are uvarints, and strings are a uvarint length and the bytes.
const recordHeader = 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// initRecord names the log.
type initRecord struct {
	log, client  UUID
	user         string
	conflictFree bool
}

// turnRecord is everything that one turn changes, so that it is atomic by construction. The entries follow after;
// then the persisted, which are pending actions named by id.
type turnRecord struct {
	after     uint64
	epoch     UUID
	chain     Chain // at after + len(entries) + len(persisted)
	entries   []Entry
	persisted []UUID
	rejected  []Rejection
	at        int64 // when it was planned, Unix milliseconds
}

// Entry is one action in a stream's log, with what the server says of it.
type Entry struct {
	Stored int64  // server time, Unix milliseconds; 0 when not told
	By     string // the subject of the principal that wrote it
	Action Action
}

// Rejection is a refused action: by the server's verdict, or because it depends on one (Because).
type Rejection struct {
	ID      UUID
	Code    string
	Message string
	Because UUID
}

// The methods of encoder and decoder are called from everywhere and are quick beside what calls them: inlined, they would be
// a fiftieth of the program.
type encoder struct{ b []byte }

func newRecord(kind recordKind, sizeHint int) *encoder {
	e := &encoder{b: make([]byte, recordHeader, recordHeader+sizeHint)}
	e.b[0], e.b[1] = RecordFormat, byte(kind)
	return e
}

//go:noinline
func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

//go:noinline
func (e *encoder) uuid(u UUID) { e.b = append(e.b, u[:]...) }

//go:noinline
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

func (e *encoder) finish() []byte {
	body := e.b[recordHeader:]
	binary.LittleEndian.PutUint32(e.b[2:], uint32(len(body)))
	binary.LittleEndian.PutUint32(e.b[6:], crc32.Checksum(body, castagnoli))
	return e.b
}

func encodeInit(r initRecord) []byte {
	e := newRecord(recordInit, 64)
	e.init(&r)
	return e.finish()
}

// encodeCommit makes the record of new pending actions, and of the refused ones that are dealt with.
func encodeCommit(raws []string, dismissed []UUID) []byte {
	size := 8
	for _, raw := range raws {
		size += len(raw) + 4
	}
	e := newRecord(recordCommit, size)
	e.uint(uint64(len(raws)))
	for _, raw := range raws {
		e.string(raw)
	}
	if len(dismissed) > 0 { // the list came later than the record
		e.uint(uint64(len(dismissed)))
		for _, id := range dismissed {
			e.uuid(id)
		}
	}
	return e.finish()
}

// encodeTurn writes the record. The raw bytes of the entries are copied into it.
func encodeTurn(r *turnRecord) []byte {
	size := 64 + 16*len(r.persisted)
	for i := range r.entries {
		size += len(r.entries[i].Action.Raw) + len(r.entries[i].By) + 16
	}
	e := newRecord(recordTurn, size)
	e.uint(r.after)
	e.uuid(r.epoch)
	e.chain(r.chain)
	e.uint(uint64(len(r.entries)))
	for i := range r.entries {
		e.uint(uint64(r.entries[i].Stored))
		e.string(r.entries[i].By)
		e.string(r.entries[i].Action.Raw)
	}
	e.uint(uint64(len(r.persisted)))
	for _, id := range r.persisted {
		e.uuid(id)
	}
	e.uint(uint64(len(r.rejected)))
	for i := range r.rejected {
		e.rejection(&r.rejected[i])
	}
	e.uint(uint64(r.at))
	return e.finish()
}

// record is a decoded one; the part that its kind names is set.
type record struct {
	kind      recordKind
	bytes     int
	init      initRecord
	actions   []Action
	dismissed []UUID
	turn      turnRecord
}

type decoder struct {
	b   string
	i   int
	bad bool
}

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
func corruptRecord(why string) error { return fail(CodeCorrupt, "", "a local record "+why) }

// openRecord checks a record's header and gives its body. A kind of 0 stands for any.
func openRecord(b []byte, kind recordKind) (*decoder, error) {
	if len(b) < recordHeader {
		return nil, corruptRecord("is cut short")
	}
	if b[0] != RecordFormat {
		return nil, fail(CodeUpgrade, "", "a local record was written by a newer version")
	}
	body := b[recordHeader:]
	if int(binary.LittleEndian.Uint32(b[2:])) != len(body) || binary.LittleEndian.Uint32(b[6:]) != crc32.Checksum(body, castagnoli) {
		return nil, corruptRecord("does not match its checksum")
	}
	if kind != 0 && recordKind(b[1]) != kind {
		return nil, corruptRecord("is of another kind than its place says")
	}
	return &decoder{b: view(body)}, nil
}

// decodeRecord reads a record. The strings of its actions point into b, which is never written again.
func decodeRecord(b []byte) (*record, error) {
	d, err := openRecord(b, 0)
	if err != nil {
		return nil, err
	}
	r := &record{kind: recordKind(b[1]), bytes: len(b)}
	var sl slab
	switch r.kind {
	case recordInit:
		r.init = d.init()
	case recordCommit:
		r.actions = make([]Action, d.count(2))
		for i := range r.actions {
			if err := d.action(&r.actions[i], &sl); err != nil {
				return nil, err
			}
		}
		if d.more() {
			r.dismissed = make([]UUID, d.count(16))
			for i := range r.dismissed {
				r.dismissed[i] = d.uuid()
			}
		}
	case recordTurn:
		t := &r.turn
		t.after, t.epoch = d.uint(), d.uuid()
		t.chain = d.chain()
		t.entries = make([]Entry, d.count(3))
		for i := range t.entries {
			e := &t.entries[i]
			e.Stored, e.By = int64(d.uint()), d.string()
			if err := d.action(&e.Action, &sl); err != nil {
				return nil, err
			}
		}
		t.persisted = make([]UUID, d.count(16))
		for i := range t.persisted {
			t.persisted[i] = d.uuid()
		}
		t.rejected = make([]Rejection, d.count(34))
		for i := range t.rejected {
			t.rejected[i] = d.rejection()
		}
		if d.more() {
			t.at = int64(d.uint())
		}
	default:
		return nil, fail(CodeUpgrade, "", "a local record of a kind that this version does not know")
	}
	if d.bad || d.i != len(d.b) {
		return nil, corruptRecord("has a broken body")
	}
	return r, nil
}
