//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/state"
)

// stream is an open one. observer is the script's: what it hears.
type stream struct {
	*loop.Stream
	db       *database
	observer js.Value
	handle   int
	lives    map[uint32]*state.Live
	nextLive uint32
	outdated bool // that was told
}
