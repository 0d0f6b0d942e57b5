//go:build js && wasm

package main

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core"
)

// browser implements core.Host: goroutines, Go's timers (which are setTimeout), and version 7 ids.
type browser struct{}

var _ core.Host = browser{}

func (browser) Now() int64 { return time.Now().UnixMilli() }

func (browser) After(ms int64, f func()) (cancel func()) {
	t := time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
		defer report("a timer")
		f()
	})
	return func() { t.Stop() }
}

func (browser) Do(work func() (then func())) {
	go func() {
		defer report("a background step")
		work()()
	}()
}

func (browser) NewID() core.UUID { return newID() }

func (browser) Random() float64 { return rand.Float64() }

func newID() core.UUID { return core.UUID(uuid.Must(uuid.NewV7())) }

func newClient() core.UUID { return core.UUID(uuid.New()) }
