// Command pack puts the npm package together as bin/strandline-VERSION.tgz, out of js/dist: what apps need, each file once, with a manifest that
// names it. Equal files give an equal tarball.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/js/build/toolchain"
)

const dist = "js/dist"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := toolchain.Check("."); err != nil { // another one compresses in another way
		return err
	}
	files, err := contents()
	if err != nil {
		return err
	}
	tarball, err := pack(files)
	if err != nil {
		return err
	}
	old, err := filepath.Glob("bin/strandline-*.tgz")
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if err := os.MkdirAll("bin", 0o755); err != nil {
		return err
	}
	return os.WriteFile("bin/strandline-"+js.Version()+".tgz", tarball, 0o644)
}

type file struct {
	name string // in the package
	text []byte
}

// contents lists what the package has, the manifest first.
func contents() ([]file, error) {
	entries, err := os.ReadDir(dist)
	if err != nil {
		return nil, fmt.Errorf("%w; run make build", err)
	}
	out := make([]file, 1)
	wasm := ""
	add := func(from, name string) error {
		text, err := os.ReadFile(from)
		out = append(out, file{name, text})
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if !packed(name) {
			continue
		}
		if strings.HasSuffix(name, ".wasm") {
			wasm = "./dist/" + name
		}
		if err := add(filepath.Join(dist, name), "dist/"+name); err != nil {
			return nil, err
		}
	}
	if wasm == "" {
		return nil, fmt.Errorf("%s has no wasm under its hashed name; run make build", dist)
	}
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE"} {
		if err := add(name, name); err != nil {
			return nil, err
		}
	}
	text, err := manifest(wasm)
	out[0] = file{"package.json", text}
	return out, err
}

// pack makes the tarball as npm makes it: everything under package/, without what the machine or the time would add.
func pack(files []file) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: "package/" + f.name, Size: int64(len(f.text)), Mode: 0o644, ModTime: time.Unix(499162500, 0), Typeflag: tar.TypeReg} // npm's time
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// packed tells whether the package has a file: the scripts under the names that apps write, and under hashed names what scripts load.
func packed(name string) bool {
	switch {
	case strings.HasSuffix(name, ".d.ts"):
		return true
	case strings.HasSuffix(name, ".wasm.gz"), strings.HasSuffix(name, ".js.map"):
		return true
	case strings.HasSuffix(name, ".wasm"), strings.HasPrefix(name, "data."):
		return strings.Count(name, ".") == 2
	case strings.HasSuffix(name, ".global.js"), strings.HasSuffix(name, ".all.js"), strings.HasSuffix(name, ".sw.js"):
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
