package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// wasmFlags build without inlining, which is a tenth of the download: browsers inline what is hot by themselves. Go's own runtime is the
// exception: with it, bulk writes are a tenth faster, for 6 KB.
var wasmFlags = []string{"-trimpath", "-buildvcs=false", "-gcflags=all=-l",
	"-gcflags=runtime=", "-gcflags=internal/runtime/maps=", "-gcflags=unicode/utf8="}

// buildWasm makes the program for browsers: with the runtime's edits, and without what nobody needs.
func buildWasm(g *toolchain.Go, stamp, out string) error {
	edited, err := os.MkdirTemp("", "strandline-runtime-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(edited)
	overlay, err := gcOverlay(g.Root, edited)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-overlay", overlay}, wasmFlags...)
	args = append(args, "-ldflags=-s -w -buildid= -X main.stamp="+stamp, "-o", out, "github.com/strandline-sync/strandline/wasm")
	cmd := g.Command("js", "wasm", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
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
