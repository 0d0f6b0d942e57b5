package main

import (
	"bytes"
	"debug/gosym"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A real program: the names of its functions stay, its lines go, and no byte moves.
func TestSlimTakesOnlyTheLines(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module slim.test\n\ngo 1.26\n")
	write("main.go", `package main

import (
	"runtime"
	"runtime/debug"
	"strconv"
)

type node struct {
	left, right *node
	text        string
}

// tree makes garbage in deep frames that move as the stack grows: the collector must find what is live in each.
func tree(depth int) *node {
	n := &node{text: strconv.Itoa(depth)}
	if depth > 0 {
		n.left = tree(depth - 1)
		n.right = tree(depth - 2)
	}
	if depth == 9 {
		runtime.GC()
	}
	return n
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	v, _ := strconv.Atoi(n.text)
	return v + n.left.sum() + n.right.sum()
}

func outOfRange(list []int, i int) (err any) {
	defer func() { err = recover() }()
	return list[i]
}

func main() {
	println(string(debug.Stack()))
	done := make(chan int)
	for range 20 {
		go func() { done <- tree(18).sum() }()
	}
	for range 20 {
		if n := <-done; n != tree(18).sum() {
			println("lost", n)
		}
	}
	println(outOfRange(make([]int, 3), 5).(error).Error())
	println("at its end")
}
`)
	out := filepath.Join(dir, "a.wasm")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	before, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	after := bytes.Clone(before)
	if err := slim(after); err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) {
		t.Fatal("the length changed")
	}
	zeroed := 0
	for i := range before {
		if before[i] != after[i] {
			if after[i] != 0 && after[i] != 0xff { // a table of zeros, or an offset that says that there is none
				t.Fatalf("byte %d became %d", i, after[i])
			}
			zeroed++
		}
	}
	if zeroed < 20_000 {
		t.Errorf("only %d bytes were taken out", zeroed)
	}
	for _, name := range []string{"main.main", "runtime.gopanic", "internal/runtime/maps."} {
		if !bytes.Contains(after, []byte(name)) {
			t.Errorf("the name %s is gone", name)
		}
	}
	for _, path := range []string{"symtab.go", "stack.go", "runtime/debug.Stack"} {
		if bytes.Contains(after, []byte(path)) {
			t.Errorf("the name %s is there", path)
		}
	}
	table := func(wasm []byte) *gosym.Table {
		segments, err := dataSegments(wasm)
		if err != nil {
			t.Fatal(err)
		}
		last := segments[len(segments)-1]
		memory := make([]byte, last.address+last.size)
		for _, s := range segments {
			copy(memory[s.address:], wasm[s.offset:s.offset+s.size])
		}
		tab, err := gosym.NewTable(nil, gosym.NewLineTable(memory[bytes.Index(memory, tableMagic):], 0))
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	old, now := table(before), table(after)
	if len(old.Funcs) == 0 || len(old.Funcs) != len(now.Funcs) {
		t.Fatalf("%d functions, then %d", len(old.Funcs), len(now.Funcs))
	}
	for i := range old.Funcs {
		if name := now.Funcs[i].Name; name != "" && old.Funcs[i].Name != name {
			t.Fatalf("%s became %s", old.Funcs[i].Name, now.Funcs[i].Name)
		}
	}
	if node, err := exec.LookPath("node"); err == nil { // it runs, its trace names functions, and its collector finds what lives
		root, _ := exec.Command("go", "env", "GOROOT").Output()
		if err := os.WriteFile(out, after, 0o644); err != nil {
			t.Fatal(err)
		}
		run := exec.Command(node, filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec_node.js"), out)
		run.Env = []string{"PATH=" + os.Getenv("PATH")}
		text, err := run.CombinedOutput()
		for _, want := range []string{"main.main(", "\nruntime error: index out of range [5] with length 3\nat its end\n"} {
			if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "lost") {
				t.Fatalf("%v\n%s", err, text)
			}
		}
	}
}

func TestSlimRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, wasm := range map[string][]byte{
		"nothing":          nil,
		"no wasm":          []byte("<html>Please sign in</html>"),
		"an empty module":  {0, 'a', 's', 'm', 1, 0, 0, 0},
		"a section's size": {0, 'a', 's', 'm', 1, 0, 0, 0, 11, 0xff, 0xff, 0xff},
		"no program of Go": {0, 'a', 's', 'm', 1, 0, 0, 0, 11, 8, 1, 0, 0x41, 0, 0x0b, 2, 1, 2},
	} {
		if err := slim(bytes.Clone(wasm)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
