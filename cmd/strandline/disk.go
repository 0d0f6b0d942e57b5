package main

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// watermark tells whether a directory's disk has room left. It is looked at now and then.
type watermark struct {
	dir  string
	free uint64 // bytes that are to stay free; 0: it is not looked at

	mu  sync.Mutex
	at  time.Time
	err error
}

// lookAtDisk is how often that is.
const lookAtDisk = 2 * time.Second

// Writable implements server.Config's: a disk that cannot be asked is taken for one with room.
func (w *watermark) Writable() error {
	if w.free == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.at) >= lookAtDisk {
		free, err := freeBytes(w.dir)
		was := w.err
		w.at, w.err = now, nil
		if err == nil && free < w.free {
			w.err = fmt.Errorf("the server's disk is nearly full: nothing is taken until there is room")
		}
		if (was == nil) != (w.err == nil) {
			slog.Warn("whether the disk has room", "takes", w.err == nil, "free", free, "min-free", w.free)
		}
	}
	return w.err
}
