package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// What stays of the library does the same: one program, linked with Go's files and with ours.
func TestTheLeanLibraryDoesTheSame(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node")
	}
	g, err := toolchain.Find("../..")
	if err != nil {
		t.Fatal(err)
	}
	run := func(e edition) string {
		t.Helper()
		out := filepath.Join(t.TempDir(), "a.wasm")
		if err := link(g, e, "github.com/strandline-sync/strandline/js/build/testdata/lean", "-s -w", out); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(node, filepath.Join(g.Root, "lib", "wasm", "wasm_exec_node.js"), out)
		cmd.Env = []string{"GODEBUG=asynctimerchan=1"} // without an effect
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		return string(said)
	}
	if whole, lean := run(edition{}), run(gcAndLean); whole != lean || !strings.HasSuffix(lean, "true false false\n") {
		t.Errorf("with Go's files:\n%s\nwith ours:\n%s", whole, lean)
	}
}

// Another toolchain is told, not guessed at.
func TestAnUnknownLibraryIsAnError(t *testing.T) {
	g, err := toolchain.Find("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]edition{
		"a place that is not there":   {edits: []edit{{"log/log.go", "no such text", ""}}},
		"a place that is there twice": {edits: []edit{{"log/log.go", "func", ""}}},
		"a file that is not there":    {files: map[string]string{"log/logs.go": "package log\n"}},
	} {
		if _, err := overlay(g.Root, t.TempDir(), e.edits, e.files); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}
