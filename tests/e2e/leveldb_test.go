package e2e

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/tests/engine"
)

// logsOf lists Chromium's own logs of the databases of a profile.
func logsOf(profile string) []string {
	logs, _ := filepath.Glob(filepath.Join(profile, "Default", "IndexedDB", "*", "*.log"))
	return logs
}

// logState tells how Chromium's own log of the databases of a profile ends: "whole"; "cut", where a kill came between the two writes, of a
// header and of a body, that a record is made of; "damaged", where something was written on behind such a header, which Chromium takes for the
// body: it deletes all databases of the origin then.
func logState(profile string) string {
	for _, path := range logsOf(profile) {
		if b, err := os.ReadFile(path); err == nil && stateOf(b) != "whole" {
			return stateOf(b)
		}
	}
	return "whole"
}

// stateOf reads a LevelDB log: blocks of 32 KiB; in each, records of a masked CRC-32C, a length, a type, and the bytes.
func stateOf(b []byte) string {
	const block, header = 32 << 10, 7
	for at := 0; at < len(b); {
		left := block - at%block
		if left < header {
			at += left
			continue
		}
		if at+header > len(b) {
			return "cut"
		}
		size := int(binary.LittleEndian.Uint16(b[at+4:]))
		switch {
		case header+size > left && at+left <= len(b): // behind it is more
			return "damaged"
		case at+header+size > len(b):
			return "cut"
		case size == 0 && b[at+6] == 0: // room that was never written to
			at += left
			continue
		}
		sum := crc32.Checksum(b[at+6:at+header+size], crc32.MakeTable(crc32.Castagnoli))
		if sum = (sum>>15 | sum<<17) + 0xa282ead8; sum != binary.LittleEndian.Uint32(b[at:]) {
			return "damaged"
		}
		at += header + size
	}
	return "whole"
}

// A browser that was killed between the header and the body of a record of its own log: the lives after it lose nothing, whether what the next one
// writes is longer than the missing body, so that its checksum would be wrong and all be deleted, or shorter, so that it would be taken for the
// body that was cut off.
func TestBrowserKilledBetweenHeaderAndBody(t *testing.T) {
	if engine.Name() != engine.Chromium {
		t.Skipf("cannot in %s: the log of LevelDB, which Chromium alone has", engine.Name())
	}
	t.Parallel()
	const block, header = 32 << 10, 7
	for name, missing := range map[string]func(left int) int{
		"less than the next life writes": func(int) int { return 1000 },
		"more than the next life writes": func(left int) int { return left },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			profile := t.TempDir()
			life := func(f func(one *tab)) {
				t.Helper()
				b := openBrowser(t, profile)
				one := b.open(s.url)
				one.start(`{server: undefined}`)
				f(one)
				b.kill()
			}
			path, size, rows := "", 0, 10
			life(func(one *tab) {
				one.do(`for (let i = 0; i < 10; i++) await s.create("todo", {title: "one " + i})`)
				for {
					logs := logsOf(profile)
					if len(logs) != 1 {
						t.Fatalf("the browser's logs: %v", logs)
					}
					info, err := os.Stat(logs[0])
					if err != nil {
						t.Fatal(err)
					}
					if path, size = logs[0], int(info.Size()); block-size%block > 20<<10 {
						break // room for the next life within this block
					}
					one.do(`await s.create("todo", {title: "one more"})`)
					rows++
				}
			})
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil || int(info.Size()) != size {
				t.Fatalf("the log has grown, or cannot be read: %v, %v", info, err)
			}
			n := missing(block - size%block - header)
			if _, err := f.Write([]byte{1, 2, 3, 4, byte(n), byte(n >> 8), 1}); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			life(func(one *tab) {
				one.want(fmt.Sprint(rows), `return s.count()`)
				one.eventually(`false`, `return (await indexedDB.databases()).some((db) => db.name === "strandline/log")`)
				one.do(`for (let i = 0; i < 10; i++) await s.create("todo", {title: "two " + i})`)
			})
			life(func(one *tab) {
				one.want(fmt.Sprintf(`[%d,null]`, rows+10), `return [s.count(), (await db.health()).loss]`)
			})
		})
	}
}

func TestLogState(t *testing.T) {
	t.Parallel()
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
		want string
	}{
		"whole":                     {join(one, two, one), "whole"},
		"cut in a header":           {join(one, two[:5]), "cut"},
		"cut behind a header":       {join(one, two[:7]), "cut"},
		"cut in a body":             {join(one, two[:12]), "cut"},
		"written on behind a cut":   {join(one, two[:7], one, two, two), "damaged"},
		"written on within a body":  {join(one, two[:12], one, two), "damaged"},
		"written on, and cut again": {join(one, two[:7], one), "cut"}, // what is behind looks like the body's beginning
	} {
		if got := stateOf(c.log); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
