package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// The toolchain is reached through a link, or without one where there are no links: over one build cache, the bytes are the same.
func TestTheWayToTheToolchainDoesNotMatter(t *testing.T) {
	build := func(find func(string) (*toolchain.Go, error)) (root, hash string) {
		t.Helper()
		g, err := find("../..")
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "a.wasm")
		if err := buildWasm(g, "0123456789abcdef", out); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		return g.Root, hex.EncodeToString(sum[:])
	}
	link, linked := build(toolchain.Find)
	root, installed := build(toolchain.FindWithoutLinks)
	if link == root {
		t.Fatalf("both are %s", root)
	}
	if linked != installed {
		t.Errorf("%s gives %s, %s gives %s", link, linked, root, installed)
	}
}
