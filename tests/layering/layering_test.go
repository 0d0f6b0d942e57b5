// Package layering holds the directions in which dependencies may point, as tests that say why.
package layering

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

const module = "github.com/strandline-sync/strandline"

// deps lists what a package is built from, for a platform.
func deps(t *testing.T, pkg string, wasm bool) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "./"+pkg)
	cmd.Dir = "../.."
	if wasm {
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

func forbid(t *testing.T, pkg string, wasm bool, why string, banned ...string) {
	t.Helper()
	for _, dep := range deps(t, pkg, wasm) {
		for _, b := range banned {
			if dep == b || strings.HasPrefix(dep, b+"/") {
				t.Errorf("%s reaches %s: %s", pkg, dep, why)
			}
		}
	}
}

// rooms reads the table of docs/ARCHITECTURE.md: each package of the house, and those of the house that it may know.
func rooms(t *testing.T) (order []string, knows map[string][]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	knows = map[string][]string{}
	name := regexp.MustCompile("`([a-z/]+)`")
	table, _, _ := strings.Cut(string(text), "| room of `js/src` |")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(table, -1) {
		order = append(order, row[1])
		knows[row[1]] = []string{}
		for _, m := range name.FindAllStringSubmatch(row[2], -1) {
			knows[row[1]] = append(knows[row[1]], m[1])
		}
	}
	if len(order) < 9 {
		t.Fatalf("the table of rooms has %d rows only: %v", len(order), order)
	}
	return order, knows
}

// Arrows point down the table, and no room knows more than its row says.
func TestRoomsKnowWhatTheTableSays(t *testing.T) {
	order, knows := rooms(t)
	for i, room := range order {
		for _, other := range knows[room] {
			if at := slices.Index(order, other); at < 0 || at >= i {
				t.Errorf("%s knows %s, which is no row above its own", room, other)
			}
		}
		for _, wasm := range []bool{false, true} {
			native := strings.HasPrefix(room, "server") || room == "client"
			if wasm == native || !wasm && (room == "wasm" || room == "idbstore") {
				continue
			}
			for _, dep := range imports(t, room, wasm) {
				other, ours := strings.CutPrefix(dep, module+"/")
				if ours && slices.Contains(order, other) && !slices.Contains(knows[room], other) {
					t.Errorf("%s imports %s: its row in docs/ARCHITECTURE.md does not name it", room, other)
				}
			}
		}
	}
}

// The same of the script: a room's files import what its row names, a file of data's own beside it, and nothing of the tests. A file holds one noun, a class has few fields.
func TestTheScriptsRoomsKnowWhatTheTableSays(t *testing.T) {
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| room of `js/src` |")
	if !found {
		t.Fatal("docs/ARCHITECTURE.md has no table of the script's rooms")
	}
	knows, order := map[string][]string{}, []string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(table, -1) {
		room := row[1]
		for _, m := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(row[2], -1) {
			if !slices.Contains(order, m[1]) {
				t.Errorf("%s knows %s, which is no row above its own", room, m[1])
			}
			knows[room] = append(knows[room], m[1])
		}
		order = append(order, room)
	}
	paths, err := filepath.Glob("../../js/src/*/*.ts")
	if err != nil || len(paths) < 50 {
		t.Fatal("the script's sources are not there", err)
	}
	imported := regexp.MustCompile(`(?:from|import)\s*\(?\s*"\.\./([a-z]+)/[^"]*"`)
	fields := regexp.MustCompile(`(?m)^  (?:  (?:readonly|private|public) |(?:readonly )?)#?[a-zA-Z]+[!?]?(?::| =|;)`) // of a constructor too
	for _, path := range paths {
		room := filepath.Base(filepath.Dir(path))
		if !slices.Contains(order, room) {
			t.Errorf("%s is in no room of the table", path)
		}
		if strings.HasSuffix(path, ".test.ts") || strings.HasSuffix(path, ".d.ts") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range imported.FindAllStringSubmatch(string(b), -1) {
			if m[1] != room && !slices.Contains(knows[room], m[1]) {
				t.Errorf("%s imports from %s: its row in docs/ARCHITECTURE.md does not name it", path, m[1])
			}
		}
		if n := strings.Count(string(b), "\n"); n > maxFile {
			t.Errorf("%s has %d lines; does it still hold one noun?", path, n)
		}
		for _, class := range regexp.MustCompile(`(?ms)^(?:export )?class (\w+).*?^}`).FindAllStringSubmatch(string(b), -1) {
			if n := len(fields.FindAllString(class[0], -1)); n > maxFields {
				t.Errorf("%s: class %s has %d fields", path, class[1], n)
			}
		}
	}
}

// Fields of a class of the script.
const maxFields = 15

// imports lists what a package itself imports, for a platform.
func imports(t *testing.T, pkg string, wasm bool) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, "./"+pkg)
	cmd.Dir = "../.."
	if wasm {
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// core lists the core's rooms.
func core(t *testing.T) (out []string) {
	order, _ := rooms(t)
	for _, room := range order {
		if strings.HasPrefix(room, "core/") {
			out = append(out, room)
		}
	}
	return out
}

func TestTheCoreIsPure(t *testing.T) {
	const why = "the core has no browser, network, disk or database; hand these in"
	for _, room := range core(t) {
		forbid(t, room, false, why, "net", "os/exec", "database/sql", "syscall/js", "encoding/json", "math/rand", "crypto/rand", "log", "fmt")
		for _, dep := range deps(t, room, false) {
			if strings.Contains(dep, ".") && !strings.HasPrefix(dep, module+"/core/") {
				t.Errorf("%s imports %s: it takes the standard library only", room, dep)
			}
		}
	}
	for _, pkg := range []string{"core/locallog/memstore", "core/loop/virtual", "core/locallog/storetest", "core/action/actiontest"} {
		forbid(t, pkg, false, "what comes with the core imports nothing else of the module", module+"/server", module+"/idbstore", module+"/wasm")
	}
}

// A room is of a size that one can hold in mind.
func TestRoomsStaySmall(t *testing.T) {
	for _, room := range core(t) {
		total := 0
		for path, text := range sources(t, room) {
			n := strings.Count(text, "\n")
			if total += n; n > maxFile {
				t.Errorf("%s has %d lines; does it still hold one noun?", path, n)
			}
			for i, line := range strings.Split(text, "\n") {
				if wide := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); wide > maxLine {
					t.Errorf("%s:%d has %d columns", path, i+1, wide)
				}
			}
		}
		if total > maxRoom {
			t.Errorf("%s has %d lines; which rooms is it?", room, total)
		}
	}
}

// Lines of a package and of a file, and columns of a line, in the core.
const maxRoom, maxFile, maxLine = 3000, 400, 140

// What a pure function must not call: the clock, the disk, goroutines, locks.
var impure = regexp.MustCompile(`\btime\.(Now|After|Sleep|Tick|NewTimer|AfterFunc|NewTicker)\b|\bos\.|\bgo func|\bgo [a-z]+\(|\bsync\.|\bselect \{|\brand\.|<-`)

func TestTheCoreHasNoClockNoGoroutineNoLock(t *testing.T) {
	for path, text := range coreSources(t) {
		for i, line := range strings.Split(text, "\n") {
			code, _, _ := strings.Cut(line, "//")
			if m := impure.FindString(code); m != "" {
				t.Errorf("%s:%d has %q: the core is single-threaded and deterministic", path, i+1, m)
			}
		}
	}
}

func TestTheBrowserSideStaysSmall(t *testing.T) {
	forbid(t, "wasm", true, "it is three times the download", "net/http", "net", "crypto/tls")
	forbid(t, "wasm", true, "the browser does not need the server", module+"/server", module+"/cmd")
	forbid(t, "idbstore", true, "idbstore knows the local log only", module+"/wasm", module+"/server")
	for _, want := range []string{"github.com/hack-pad/go-indexeddb/idb", "github.com/google/uuid", "github.com/norunners/vert"} {
		if !strings.Contains(strings.Join(deps(t, "wasm", true), "\n"), want) {
			t.Errorf("wasm does not use %s", want)
		}
	}
}

func TestTheClientKnowsNoServer(t *testing.T) {
	forbid(t, "client", false, "a bot links no server, and no database that it does not use", module+"/server", module+"/wasm", module+"/idbstore", "modernc.org")
}

func TestTheServerKnowsTheCoreOnly(t *testing.T) {
	const why = "the server's handler knows no engine and no browser: the program puts them together"
	forbid(t, "server", false, why, module+"/server/engine/sqlite", module+"/server/engine/memory", module+"/idbstore", module+"/wasm", "modernc.org")
}

// What an export reaches must not block: a block inside one gives garbage to JavaScript. The exports and what they call in this
// module are searched for what can; the core as a whole has none of it (above).
func TestExportsDoNotBlock(t *testing.T) {
	text := sources(t, "wasm")[filepath.Join("..", "..", "wasm", "exports.go")]
	if text == "" {
		t.Fatal("wasm/exports.go is gone: point this test at the exports")
	}
	banned := regexp.MustCompile(`<-|\bselect\b|\bsync\.|\btime\.Sleep\b|\bawait\(|\bgo func|\.Invoke\(|\.Call\(`)
	for i, line := range strings.Split(text, "\n") {
		code, _, _ := strings.Cut(line, "//")
		if m := banned.FindString(code); m != "" {
			t.Errorf("wasm/exports.go:%d has %q: an export never blocks and never calls JavaScript", i+1, m)
		}
	}
}

func coreSources(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, room := range core(t) {
		maps.Copy(out, sources(t, room))
	}
	return out
}

func sources(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	out := map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(b)
	}
	return out
}

// The glue must be of the toolchain that builds the wasm: another one's does not link.
func TestTheGlueIsTheToolchains(t *testing.T) {
	g, err := toolchain.Find("../..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(g.Root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../wasm_exec.js")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("wasm_exec.js is not the one of %s: make pin", g.Version)
	}
}

// The project's files speak of the project alone, and every file of code is of a size that one can hold in mind.
func TestFilesStaySmall(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "*.go", "*.ts")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Skip("no git here:", err)
	}
	for _, name := range strings.Fields(string(out)) {
		b, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			continue // removed, not yet committed
		}
		if n := bytes.Count(b, []byte("\n")); n > 600 {
			t.Errorf("%s has %d lines; does it still hold one noun?", name, n)
		}
	}
}
