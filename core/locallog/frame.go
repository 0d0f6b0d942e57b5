package locallog

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/strandline-sync/strandline/core/action"
)

// LSN numbers the records of a local log: 0, 1, 2, …
type LSN uint64

// RecordFormat is the newest format of what this version writes. Readers refuse newer ones (CodeUpgrade), and read those before. A new kind
// has a new format. Formats are numbers with an odd count of one-bits (1, 2, 4, 7, 8, …): one flipped bit makes none of them another one,
// and what is one bit from a known one is damage, not a newer one.
//
// Of the first one are the records of a log and the pages of objects still, and were manifests and rests that knew nothing of a rebuild; of
// the second one were rests that knew nothing of a repair.
const RecordFormat = 4

var formats = [...]byte{1, 2, RecordFormat}

func known(format byte) bool {
	for _, f := range formats {
		if f == format {
			return true
		}
	}
	return false
}

// formatOf is the format in which a kind is written.
func formatOf(kind Kind) byte {
	switch kind {
	case KindRest, KindSpare:
		return 4
	case recordManifest:
		return 2
	}
	return 1
}

type Kind byte

const (
	KindInit   Kind = 'i' // record 0: what the log is
	KindCommit Kind = 'c' // new pending actions
	KindTurn   Kind = 't' // one turn of the loop

	// KindInstall stands where a checkpoint of the server took the place of all that was before; it is committed with
	// that, and never read.
	KindInstall Kind = 'k'

	// What a local checkpoint is made of; they stand beside the log, not in it.
	recordManifest Kind = 'm'
	KindPage       Kind = 'p' // objects of the confirmed state
	KindRest       Kind = 'r' // everything else
	KindKept       Kind = 'o' // own actions that the log has
	KindSpare      Kind = 's' // once more what nobody else has, for when the rest cannot be read
)

// A record is one binary value:
//
//	version (1 byte) · kind (1 byte) · length of the body (4 bytes) · CRC-32C of the body (4 bytes) · body
//
// Integers are little-endian; in bodies they are uvarints, and strings are a uvarint length and the bytes.
const HeaderBytes = 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewRecord begins one: its body is written into the encoder.
func NewRecord(kind Kind, sizeHint int) *action.Encoder {
	b := make([]byte, HeaderBytes, HeaderBytes+sizeHint)
	b[0], b[1] = formatOf(kind), byte(kind)
	return action.NewEncoder(b)
}

// Finish fills in the header.
func Finish(e *action.Encoder) []byte { return Seal(e.Whole()) }

// Seal fills in the header of what was changed.
func Seal(b []byte) []byte {
	body := b[HeaderBytes:]
	binary.LittleEndian.PutUint32(b[2:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[6:], crc32.Checksum(body, castagnoli))
	return b
}

// Open checks a record's header and gives its body. A kind of 0 stands for any.
func Open(b []byte, kind Kind) (*action.Decoder, error) {
	if len(b) < HeaderBytes {
		return nil, action.Corrupt("a local record is cut short")
	}
	if !known(b[0]) {
		for _, format := range formats {
			if bits.OnesCount8(b[0]^format) == 1 {
				return nil, action.Corrupt("a local record is of no format")
			}
		}
		return nil, action.Fail(action.CodeUpgrade, "", "a local record has format "+action.Itoa(int(b[0]))+
			"; this version reads formats up to "+action.Itoa(RecordFormat)+": a newer one is needed")
	}
	body := b[HeaderBytes:]
	if int(binary.LittleEndian.Uint32(b[2:])) != len(body) || binary.LittleEndian.Uint32(b[6:]) != crc32.Checksum(body, castagnoli) {
		return nil, action.Corrupt("a local record does not match its checksum")
	}
	if kind != 0 && Kind(b[1]) != kind {
		return nil, action.Corrupt("a local record is of another kind than its place says")
	}
	return action.NewDecoder(action.View(body)), nil
}
