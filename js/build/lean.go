package main

// What no program in a browser can use weighs a tenth of the download: GODEBUG's settings (a page has no environment), the generator and the
// self-tests of FIPS 140, the hashes' registry, the tracer, layouts of times, the log's prefixes. Without them the functions that only they reach
// are not linked. What the rest does stays the same, but a time is always told as RFC 3339 has it. docs/adr/0016-a-lean-library.md has the figures.
var leanEdits = []edit{
	// Nothing reads the registry: who hashes names the package.
	{"crypto/md5/md5.go", "	crypto.RegisterHash(crypto.MD5, New)\n", "	_ = crypto.MD5\n"},
	{"crypto/sha1/sha1.go", "	crypto.RegisterHash(crypto.SHA1, New)\n", "	_ = crypto.SHA1\n"},

	// The tracer is never on.
	{"runtime/traceruntime.go", "	return tl.gen != 0\n", "	return false\n"},
	{"runtime/traceruntime.go", "	return trace.enabled\n", "	return false\n"},
	{"runtime/traceruntime.go", "	return trace.enabledWithAllocFree\n", "	return false\n"},
	{"runtime/traceruntime.go", "	return trace.shutdown.Load()\n", "	return false\n"},

	// A page has no files: what is written to these goes nowhere. The runtime prints by itself.
	{"os/file.go", `	Stdin  = NewFile(uintptr(syscall.Stdin), "/dev/stdin")
	Stdout = NewFile(uintptr(syscall.Stdout), "/dev/stdout")
	Stderr = NewFile(uintptr(syscall.Stderr), "/dev/stderr")
`, "	Stdin, Stdout, Stderr *File\n"},

	{"time/format.go", `	// Optimize for RFC3339 as it accounts for over half of all representations.
	switch layout {
	case RFC3339:
		return t.appendFormatRFC3339(b, false)
	case RFC3339Nano:
		return t.appendFormatRFC3339(b, true)
	default:
		return t.appendFormat(b, layout)
	}
`, `	return t.appendFormatRFC3339(b, layout != RFC3339)
`},
}

var leanFiles = map[string]string{
	// Each setting has its default.
	"internal/godebug/godebug.go": `package godebug

type Setting struct{ name string }

func New(name string) *Setting       { return &Setting{name} }
func (s *Setting) Name() string      { return s.name }
func (s *Setting) Undocumented() bool { return false }
func (s *Setting) String() string    { return s.name + "=" }
func (s *Setting) IncNonDefault()    {}
func (s *Setting) Value() string     { return "" }
`,

	// The browser's own generator, which never fails; FIPS 140 alone has one in between.
	"crypto/rand/rand.go": `package rand

import (
	"crypto/internal/sysrand"
	"io"
)

type reader struct{}

func (reader) Read(b []byte) (int, error) { return Read(b) }

var Reader io.Reader = reader{}

func Read(b []byte) (int, error) {
	sysrand.Read(b)
	return len(b), nil
}
`,
	"crypto/rand/util.go": "package rand\n", // prime and large numbers
	"crypto/internal/sysrand/rand.go": `package sysrand

func Read(b []byte) { read(b) }
`,
	"crypto/internal/fips140only/fips140only.go": `package fips140only

func Enforced() bool { return false }
`,
	"crypto/internal/boring/notboring.go": `package boring

import "hash"

const available = false

func Unreachable() {}

func NewSHA1() hash.Hash    { panic("boringcrypto: not available") }
func SHA1([]byte) [20]byte { panic("boringcrypto: not available") }
`,

	// What the program and its libraries call.
	"log/log.go": `package log

import (
	"fmt"
	"io"
)

var to io.Writer = io.Discard

func SetOutput(w io.Writer) { to = w }
func SetFlags(int)          {}
func Println(v ...any)      { to.Write([]byte(fmt.Sprintln(v...))) }
`,
}
