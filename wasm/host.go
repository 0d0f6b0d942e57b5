//go:build js && wasm

package main

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// browser implements plan.Sources.
type browser struct{}

var _ plan.Sources = browser{}

// Now implements plan.Sources.
func (browser) Now() int64 { return time.Now().UnixMilli() }

// after runs f in ms milliseconds, unless cancelled before: by Go's timers, which are setTimeout, or in the next task.
func after(ms int64, f func()) (cancel func()) {
	if ms <= 0 {
		return yield(f)
	}
	t := time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
		defer report("a timer")
		if f != nil && !dead {
			f()
		}
	})
	return func() { f = nil; t.Stop() } // it may have fired, and wait to run
}

// background runs work, which may block, and then what it gives.
func background(what string, work func() (then func())) {
	go func() {
		defer report(what)
		if then := work(); !dead {
			then()
		}
	}()
}

// NewID implements plan.Sources.
func (b browser) NewID() action.UUID { return newID(b.Now()) }

// Random implements plan.Sources.
func (browser) Random() float64 { return rand.Float64() }

// newID makes a version 7 UUID (RFC 9562): the Unix milliseconds of now, a counter within them that keeps the order of creation, and 62
// random bits. uuid.NewV7 asks the clock and the browser's randomness each time, which is most of the cost of a small write.
func newID(now int64) (id action.UUID) {
	if now > lastMs {
		lastMs, counter = now, uint16(rand.Uint32N(1<<10)) // room for 3,000 more within the millisecond
	} else if counter++; counter == 1<<12 {
		lastMs, counter = lastMs+1, 0 // the clock is overtaken rather than the order lost
	}
	ms, low := uint64(lastMs), rand.Uint64()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[7] = 0x70|byte(counter>>8), byte(counter)
	for i := range 8 {
		id[8+i] = byte(low >> (8 * i))
	}
	id[8] = 0x80 | id[8]&0x3f
	return id
}

var (
	lastMs  int64
	counter uint16
)

// NewClient implements plan.Sources.
func (browser) NewClient() action.UUID { return action.UUID(uuid.New()) }
