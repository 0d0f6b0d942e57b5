package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// wasmFlags build without inlining, which is a tenth of the download: browsers inline what is hot by themselves. Go's own runtime is the
// exception: with it, bulk writes are a tenth faster, for 6 KB.
var wasmFlags = []string{"-trimpath", "-buildvcs=false", "-gcflags=all=-l",
	"-gcflags=runtime=", "-gcflags=internal/runtime/maps=", "-gcflags=unicode/utf8="}

// buildWasm makes the program for browsers: with the edits of the toolchain's library, and without what nobody needs.
func buildWasm(g *toolchain.Go, stamp, out string) error {
	err := link(g, gcAndLean, "github.com/strandline-sync/strandline/wasm", "-s -w -buildid= -X main.stamp="+stamp, out)
	if err != nil {
		return fmt.Errorf("build the wasm: %w", err)
	}
	b, err := os.ReadFile(out)
	if err == nil {
		err = slim(b)
	}
	if err == nil {
		err = os.WriteFile(out, b, 0o644)
	}
	if err == nil {
		err = os.Chmod(out, 0o644)
	}
	return err
}

// edition is what a program is linked with in place of the toolchain's own files.
type edition struct {
	edits []edit
	files map[string]string
}

var gcAndLean = edition{slices.Concat(gcEdits, stackEdits, leanEdits), leanFiles}

// link builds a program for browsers with an edition of the toolchain's library.
func link(g *toolchain.Go, e edition, program, ldflags, out string) error {
	edited, err := os.MkdirTemp("", "strandline-library-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(edited)
	overlay, err := overlay(g.Root, edited, e.edits, e.files)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-overlay", overlay}, wasmFlags...)
	args = append(args, "-ldflags="+ldflags, "-o", out, program)
	cmd := g.Command("js", "wasm", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// sameGlue tells whether wasm_exec.js is the toolchain's: another one's does not link.
func sameGlue(goroot string) error {
	want, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	got, err := os.ReadFile("wasm_exec.js")
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("wasm_exec.js is not that of the toolchain in go.mod: make pin")
	}
	return nil
}
