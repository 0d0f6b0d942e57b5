package web

import "sync"

// Watchers are those who wait for a stream to move.
type Watchers struct {
	mu    sync.Mutex
	wake  map[chan struct{}]bool
	head  uint64 // the newest one that was announced
	moves int    // how many were
}

// Watch lets wake, which has room for one, know of every move until Unwatch.
func (w *Watchers) Watch(wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wake == nil {
		w.wake = map[chan struct{}]bool{}
	}
	w.wake[wake] = true
}

// Unwatch ends a watch.
func (w *Watchers) Unwatch(wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.wake, wake)
}

// Announce tells of a new head. One who has not looked since the last time will see both at once.
func (w *Watchers) Announce(head uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.head = head
	w.moves++
	for wake := range w.wake {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// Last is the head that was announced last, and how many were by then.
func (w *Watchers) Last() (head uint64, moves int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head, w.moves
}
