// Command size tells what people download, packed with Brotli, and fails past the budget. It prints beside it the same
// toolchain's program with the prescribed imports only: the floor. With -since REV it tells what has changed since that commit.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// The budgets in bytes, packed. Glue is wasm_exec.js, which every Go program in a browser has.
const (
	allBudget  = 920 << 10 // docs/adr/0016, 0021, 0022, 0023: what a page needs, program and script
	wasmBudget = 884 << 10
	jsBudget   = 33<<10 + 512 // docs/adr/0007, 0013, 0015, 0016, 0018, 0019, 0020, 0022, 0023
	dataBudget = 16 << 10     // the data streams and bundles, loaded by those who use them; docs/adr/0007, 0023
)

// What else of the package apps and tests load, each by itself.
var subpaths = []struct {
	name   string
	budget int
}{{"react.js", 1 << 10}, {"vue.js", 1 << 10}, {"svelte.js", 5 << 8}, {"solid.js", 1 << 10}, {"angular.js", 1 << 10}, {"status.js", 2 << 10},
	{"inspector.js", 6 << 10}, {"test.js", 8 << 10}, {"test.wasm.gz", 5 << 19}}

func main() {
	since := flag.String("since", "", "a commit to compare the WebAssembly with, built anew with that commit's toolchain")
	flag.Parse()
	err := error(nil)
	if *since != "" {
		err = change(*since)
	} else {
		err = run()
	}
	if err != nil {
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
		show("both", wasm+n, allBudget)
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
	for _, part := range subpaths {
		if n, err = packed(filepath.Join("js/dist", part.name)); err != nil {
			return err
		}
		show(part.name, n, part.budget)
	}
	if over {
		return fmt.Errorf("over the budget")
	}
	return nil
}

func packed(path string) (int, error) {
	if _, err := os.Stat(path); err != nil {
		return 0, err
	}
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
	g, err := toolchain.Find(".")
	if err != nil {
		return 0, err
	}
	cmd := g.Command("js", "wasm", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, "./"+dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the floor: %w\n%s", err, text)
	}
	return packed(out)
}

// change builds the WebAssembly of a commit and of the working tree, each with its own toolchain, and tells both sizes.
func change(rev string) error {
	old, err := os.MkdirTemp("", "strandline-size-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(old)
	if text, err := exec.Command("sh", "-c", `git archive "$0" | tar -x -C "$1"`, rev, old).CombinedOutput(); err != nil {
		return fmt.Errorf("check out %s: %w: %s", rev, err, text)
	}
	sizes := map[string]int{}
	for _, dir := range []string{old, "."} {
		build := exec.Command("go", "run", "./js/build")
		build.Dir, build.Stderr = dir, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build in %s: %w", dir, err)
		}
		pin, err := toolchain.Pin(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if sizes[dir], err = packed(filepath.Join(dir, "js/dist/strandline.wasm")); err != nil {
			return err
		}
		fmt.Printf("%-10s %-12s %8d bytes Brotli\n", map[bool]string{true: "now", false: rev}[dir == "."], pin, sizes[dir])
	}
	fmt.Printf("%-23s %+8d bytes; the budget is %d\n", "change", sizes["."]-sizes[old], wasmBudget)
	return nil
}
