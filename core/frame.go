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

// newRecord begins one: its body is written into the encoder.
func newRecord(kind recordKind, sizeHint int) *encoder {
	b := make([]byte, recordHeader, recordHeader+sizeHint)
	b[0], b[1] = RecordFormat, byte(kind)
	return newEncoder(b)
}

// finishRecord fills in the header.
func finishRecord(e *encoder) []byte {
	b := e.whole()
	body := b[recordHeader:]
	binary.LittleEndian.PutUint32(b[2:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[6:], crc32.Checksum(body, castagnoli))
	return b
}

// openRecord checks a record's header and gives its body. A kind of 0 stands for any.
func openRecord(b []byte, kind recordKind) (*decoder, error) {
	if len(b) < recordHeader {
		return nil, corrupt("a local record is cut short")
	}
	if b[0] != RecordFormat {
		return nil, fail(CodeUpgrade, "", "a local record was written by a newer version")
	}
	body := b[recordHeader:]
	if int(binary.LittleEndian.Uint32(b[2:])) != len(body) || binary.LittleEndian.Uint32(b[6:]) != crc32.Checksum(body, castagnoli) {
		return nil, corrupt("a local record does not match its checksum")
	}
	if kind != 0 && recordKind(b[1]) != kind {
		return nil, corrupt("a local record is of another kind than its place says")
	}
	return newDecoder(view(body)), nil
}
