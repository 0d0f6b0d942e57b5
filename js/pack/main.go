// Command pack puts the npm package together in bin/package, out of js/dist: what apps need, each file once, with a manifest that names it. npm pack
// makes the tarball of that folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	dist = "js/dist"
	out  = "bin/package"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "dist"), 0o755); err != nil {
		return err
	}
	files, err := os.ReadDir(dist)
	if err != nil {
		return fmt.Errorf("%w; run make build", err)
	}
	wasm := ""
	for _, f := range files {
		name := f.Name()
		if !packed(name) {
			continue
		}
		if strings.HasSuffix(name, ".wasm") {
			wasm = "./dist/" + name
		}
		if err := copyFile(filepath.Join(dist, name), filepath.Join(out, "dist", name)); err != nil {
			return err
		}
	}
	if wasm == "" {
		return fmt.Errorf("%s has no wasm under its hashed name; run make build", dist)
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE"} {
		if err := copyFile(name, filepath.Join(out, name)); err != nil {
			return err
		}
	}
	manifest, err := manifest(wasm)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "package.json"), manifest, 0o644)
}

// packed tells whether the package has a file: the scripts under the names that apps write, and under hashed names what scripts load.
func packed(name string) bool {
	switch {
	case strings.HasSuffix(name, ".d.ts"):
		return true
	case strings.HasSuffix(name, ".wasm"), strings.HasPrefix(name, "data."):
		return strings.Count(name, ".") == 2
	case strings.HasSuffix(name, ".global.js"), strings.HasSuffix(name, ".sw.js"):
		return strings.Count(name, ".") == 2
	}
	return strings.Count(name, ".") == 1
}

// manifest is js/package.json for those who use the package: without what is for its own development, which stands last. The order of what is left
// counts.
func manifest(wasm string) ([]byte, error) {
	b, err := os.ReadFile("js/package.json")
	if err != nil {
		return nil, err
	}
	text, _, found := strings.Cut(string(b), ",\n  \"devDependencies\"")
	if !found || !strings.Contains(text, `"./dist/strandline.wasm"`) {
		return nil, fmt.Errorf("js/package.json is not of the form that is known here")
	}
	return []byte(strings.Replace(text, "./dist/strandline.wasm\"", wasm+"\"", 1) + "\n}\n"), nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
