//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/rows"
)

// stream is an open one. observer is the script's: what it hears.
type stream struct {
	*loop.Stream
	db       *database
	observer js.Value
	handle   int
	news     rows.News // what the script has not fetched yet of its rows
	proof    rows.News // what it has not compared yet
	outdated bool      // that was told
	group    string    // the meta of what is written from now on; empty for none
}
