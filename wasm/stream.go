//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/loop"
)

// stream is an open one. observer is the script's: what it hears.
type stream struct {
	*loop.Stream
	db       *database
	observer js.Value
	handle   int
	shown    shown
	outdated bool // that was told
}
