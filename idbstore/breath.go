//go:build js && wasm

package idbstore

import "time"

// breathless is how long a task converts at most before it leaves its turn to others.
const breathless = 5 * time.Millisecond

// breath cuts the conversion of much into tasks. Outside of transactions: one that waits for another task is over.
type breath struct {
	yield func(f func()) (cancel func())
	began time.Time
}

func (s *Store) breath() *breath { return &breath{s.yield, time.Now()} }

// take waits for another task where this one has converted for long enough.
func (b *breath) take() {
	if b.yield == nil || time.Since(b.began) < breathless {
		return
	}
	next := make(chan struct{})
	b.yield(func() { close(next) })
	<-next
	b.began = time.Now()
}
