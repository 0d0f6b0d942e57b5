package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// edit is a change of one place in a file of the toolchain's library, by its path below src.
type edit struct{ file, old, new string }

// overlay writes the edited and the replaced files of a GOROOT into dir, and the file that go build -overlay takes. An edit whose place is not
// there exactly once is an error: the toolchain is another one.
func overlay(goroot, dir string, edits []edit, files map[string]string) (string, error) {
	src := filepath.Join(goroot, "src")
	texts := map[string]string{}
	for file, text := range files {
		if _, err := os.Stat(filepath.Join(src, file)); err != nil {
			return "", fmt.Errorf("the toolchain has no %s: %w", file, err)
		}
		texts[file] = text
	}
	for _, e := range edits {
		text, known := texts[e.file]
		if !known {
			b, err := os.ReadFile(filepath.Join(src, e.file))
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("the toolchain's %s is not the known one: it has %d times %q", e.file, n, e.old)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	replace := map[string]string{}
	for file, text := range texts {
		edited := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(edited, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(src, file)] = edited
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "overlay.json")
	return out, os.WriteFile(out, b, 0o644)
}
