package rights

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often a file is looked at, at most.
const lookEvery = time.Second

// file is what is read out of a file, and read again when it changes. One that cannot be read any more leaves the last good one in its place.
type file[T any] struct {
	path  string
	read  func([]byte) (T, error)
	mu    sync.Mutex
	at    time.Time // of the last look
	stamp os.FileInfo
	gone  bool // it was not there at the last look
	value T
}

// open reads a file for the first time.
func open[T any](path string, read func([]byte) (T, error)) (*file[T], error) {
	f := &file[T]{path: path, read: read}
	return f, f.load()
}

func (f *file[T]) load() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	f.stamp = info // also of one that is broken: it is told once
	value, err := f.read(b)
	if err == nil {
		f.value = value
	}
	return err
}

// get gives what the file says.
func (f *file[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.at) >= lookEvery {
		f.at = now
		info, err := os.Stat(f.path)
		if gone := err != nil; gone != f.gone {
			if f.gone = gone; gone {
				slog.Error("a file cannot be read, and what it said before holds", "file", f.path, "error", err)
			}
		}
		if err == nil && (f.stamp == nil || info.ModTime() != f.stamp.ModTime() || info.Size() != f.stamp.Size()) {
			if err = f.load(); err == nil {
				slog.Info("a file was read again", "file", f.path)
			}
			if err != nil {
				slog.Error("a file is broken, and what it said before holds", "file", f.path, "error", err)
			}
		}
	}
	return f.value
}
