package e2e

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// damaged tells whether Chromium will find its own log damaged when it opens the databases of a profile, and give the page empty ones.
//
// Chromium's LevelDB writes a record's header and its body one after the other. A browser that is killed between the two leaves a header
// alone, which the next life takes for the end, and writes on behind it: the life after that one finds a record whose checksum is wrong.
func damaged(profile string) bool {
	logs, _ := filepath.Glob(filepath.Join(profile, "Default", "IndexedDB", "*", "*.log"))
	for _, path := range logs {
		if b, err := os.ReadFile(path); err == nil && damagedLog(b) {
			return true
		}
	}
	return false
}

// damagedLog reads a LevelDB log: blocks of 32 KiB; in each, records of a masked CRC-32C, a length, a type, and the bytes. One that is cut off
// at the very end is none.
func damagedLog(b []byte) bool {
	const block, header = 32 << 10, 7
	for at := 0; at < len(b); {
		left := block - at%block
		if left < header {
			at += left
			continue
		}
		if at+header > len(b) {
			return false
		}
		size := int(binary.LittleEndian.Uint16(b[at+4:]))
		if header+size > left {
			return at+left <= len(b) // behind it is more
		}
		if at+header+size > len(b) {
			return false
		}
		if size == 0 && b[at+6] == 0 { // room that was never written to
			at += left
			continue
		}
		sum := crc32.Checksum(b[at+6:at+header+size], crc32.MakeTable(crc32.Castagnoli))
		if sum = (sum>>15 | sum<<17) + 0xa282ead8; sum != binary.LittleEndian.Uint32(b[at:]) {
			return true
		}
		at += header + size
	}
	return false
}

func TestDamagedLog(t *testing.T) {
	record := func(body string) []byte {
		b := append(make([]byte, 4, 7+len(body)), byte(len(body)), byte(len(body)>>8), 1)
		b = append(b, body...)
		sum := crc32.Checksum(b[6:], crc32.MakeTable(crc32.Castagnoli))
		binary.LittleEndian.PutUint32(b, (sum>>15|sum<<17)+0xa282ead8)
		return b
	}
	one, two := record("one"), record("another one, and longer")
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, c := range map[string]struct {
		log  []byte
		want bool
	}{
		"whole":                     {join(one, two, one), false},
		"cut in a header":           {join(one, two[:5]), false},
		"cut behind a header":       {join(one, two[:7]), false},
		"cut in a body":             {join(one, two[:12]), false},
		"written on behind a cut":   {join(one, two[:7], one, two, two), true},
		"written on within a body":  {join(one, two[:12], one, two), true},
		"written on, and cut again": {join(one, two[:7], one), false}, // not noticed yet: what is behind looks like the body's beginning
	} {
		if got := damagedLog(c.log); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
