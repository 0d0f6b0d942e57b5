//go:build bundled

// Package webdemo is the demo for Go programs, where it is built in.
package webdemo

import (
	"embed"
	"io/fs"

	"github.com/strandline-sync/strandline/js"
)

//go:embed dist/*.html dist/*.css dist/*.js dist/*.png dist/*.svg dist/*.webmanifest dist/inspector
var dist embed.FS

// Files are the built ones, with the package's WebAssembly beside them. They are built in with the tag bundled, after make build has made them.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return withPackage{files, js.Files()}
}

// withPackage looks into the package for what the demo lacks: the WebAssembly is large, and the same.
type withPackage struct{ demo, lib fs.FS }

func (w withPackage) Open(name string) (fs.File, error) {
	f, err := w.demo.Open(name)
	if err != nil {
		if f, err := w.lib.Open(name); err == nil {
			return f, nil
		}
	}
	return f, err
}
