// Command size tells what people download, packed with Brotli, and fails past the budget. It prints beside it the same
// toolchain's program with the prescribed imports only: the floor.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The budgets in bytes, packed. Glue is wasm_exec.js, which every Go program in a browser has.
const (
	wasmBudget = 850 << 10
	jsBudget   = 12 << 10 // docs/adr/0007
	dataBudget = 12 << 10 // the data streams, loaded by those who use them; docs/adr/0007
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := exec.LookPath("brotli"); err != nil {
		return fmt.Errorf("brotli is missing; make size installs it on Debian")
	}
	tmp, err := os.MkdirTemp("", "strandline-size-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	floor, err := floorOf(tmp)
	if err != nil {
		return err
	}
	over := false
	show := func(name string, bytes, budget int) {
		mark := ""
		if budget > 0 && bytes > budget {
			mark, over = "  OVER", true
		}
		limit := ""
		if budget > 0 {
			limit = fmt.Sprintf("of %d", budget)
		}
		fmt.Printf("%-28s %8d bytes Brotli %s%s\n", name, bytes, limit, mark)
	}
	show("the imports alone", floor, 0)
	wasm, err := packed("js/dist/strandline.wasm")
	if err != nil {
		return err
	}
	show("strandline.wasm", wasm, wasmBudget)
	glue, err := packed("wasm_exec.js")
	if err != nil {
		return err
	}
	for _, name := range []string{"strandline.js", "strandline.global.js"} {
		n, err := packed(filepath.Join("js/dist", name))
		if err != nil {
			return err
		}
		show(name+", with glue", n, jsBudget+glue)
	}
	for _, name := range []string{"sw.js", "strandline.sw.js"} {
		n, err := packed(filepath.Join("js/dist", name))
		if err != nil {
			return err
		}
		show(name+", with glue and data", n, jsBudget+dataBudget+glue)
	}
	n, err := packed("js/dist/data.js")
	if err != nil {
		return err
	}
	show("data.js", n, dataBudget)
	if over {
		return fmt.Errorf("over the budget")
	}
	return nil
}

func packed(path string) (int, error) {
	out, err := exec.Command("sh", "-c", "brotli -q 11 -c \"$0\" | wc -c", path).Output()
	if err != nil {
		return 0, fmt.Errorf("pack %s: %w", path, err)
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// floorOf builds a program that only names the prescribed packages.
func floorOf(tmp string) (int, error) {
	const program = `package main

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/google/uuid"
	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/norunners/vert"
)

func main() {
	db, err := idb.Global().Open(context.Background(), "x", 1, nil)
	fmt.Println(db, err, uuid.New(), vert.ValueOf(struct{ A int }{}).AssignTo(&struct{ A int }{}), js.Global())
}
`
	// Inside of the module, so that its pins count.
	dir := filepath.Join("tests", "size", "floor.tmp")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
		return 0, err
	}
	out := filepath.Join(tmp, "floor.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, "./"+dir)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the floor: %w\n%s", err, text)
	}
	return packed(out)
}
