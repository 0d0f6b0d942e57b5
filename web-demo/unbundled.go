//go:build !bundled

// Package webdemo is the demo for Go programs, where it is built in.
package webdemo

import "io/fs"

// Files is nil: they are built in with the tag bundled.
func Files() fs.FS { return nil }
