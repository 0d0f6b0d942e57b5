package server

import "sync"

// watchers are those who wait for a stream to move.
type watchers struct {
	mu    sync.Mutex
	wake  map[chan struct{}]bool
	head  uint64 // the newest one that was announced
	moves int    // how many were
}

// watch lets wake, which has room for one, know of every move until unwatch.
func (w *watchers) watch(wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wake == nil {
		w.wake = map[chan struct{}]bool{}
	}
	w.wake[wake] = true
}

func (w *watchers) unwatch(wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.wake, wake)
}

// announce tells of a new head. One who has not looked since the last time will see both at once.
func (w *watchers) announce(head uint64) {
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

// last is the head that was announced last, and how many were by then.
func (w *watchers) last() (head uint64, moves int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head, w.moves
}
