//go:build js && wasm

package idbstore

import "time"

// breathless is how long a task converts at most before it leaves its turn to others.
const breathless = 5 * time.Millisecond

// breath cuts the conversion of much into tasks. Outside of transactions: one that waits for another task is over.
type breath struct {
	store *Store
	began time.Time
}

func (s *Store) breath() *breath { return &breath{s, time.Now()} }

// take waits for another task where this one has converted for long enough. It is an error where the store was closed or frozen meanwhile.
func (b *breath) take() error {
	if b.store.yield == nil || time.Since(b.began) < breathless {
		return nil
	}
	next := make(chan struct{})
	b.store.yield(func() { close(next) })
	<-next
	b.began = time.Now()
	return b.store.usable()
}
