// Package reread holds what files say, and reads them again when they change. Files that cannot be read any more leave what they said last.
package reread

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// lookEvery is how often files are looked at, at most.
const lookEvery = time.Second

// Files are some files that are read together, and what they say.
type Files[T any] struct {
	// Heard is told when they have been read again: with an error, that they are broken or gone, and what they said before holds. It is set
	// before the first Get.
	Heard func(error)

	paths  []string
	read   func(texts [][]byte) (T, error)
	mu     sync.Mutex
	looked time.Time
	stamps []stamp
	value  T
}

// stamp tells one version of a file from another.
type stamp struct {
	changed time.Time
	size    int64
	gone    bool
}

// Open reads files for the first time.
func Open[T any](read func(texts [][]byte) (T, error), paths ...string) (*Files[T], error) {
	f := &Files[T]{Heard: func(error) {}, paths: paths, read: read, looked: time.Now()}
	f.stamps = f.look()
	return f, f.load()
}

func (f *Files[T]) look() []stamp {
	out := make([]stamp, len(f.paths))
	for i, path := range f.paths {
		if info, err := os.Stat(path); err == nil {
			out[i] = stamp{changed: info.ModTime(), size: info.Size()}
		} else {
			out[i].gone = true
		}
	}
	return out
}

func (f *Files[T]) load() error {
	texts := make([][]byte, len(f.paths))
	for i, path := range f.paths {
		var err error
		if texts[i], err = os.ReadFile(path); err != nil {
			return err
		}
	}
	value, err := f.read(texts)
	if err == nil {
		f.value = value
	}
	return err
}

// Look has the next Get look at the files.
func (f *Files[T]) Look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = time.Time{}
}

// Get gives what they say.
func (f *Files[T]) Get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= lookEvery || now.Before(f.looked) {
		f.looked = now
		if now := f.look(); !slices.Equal(now, f.stamps) {
			f.stamps = now // also of those that are broken: it is told once
			err := f.load()
			if err != nil {
				slog.Error("files are broken, and what they said before holds", "files", f.paths, "error", err)
			} else {
				slog.Info("files were read again", "files", f.paths)
			}
			f.Heard(err)
		}
	}
	return f.value
}
