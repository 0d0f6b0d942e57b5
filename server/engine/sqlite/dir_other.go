//go:build !unix

package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir takes the directory for this process. Without flock the file is made anew, which fails while another process has it open
// on the systems that forbid the removal of open files.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("the data directory %s is in use by another process: end it, or name another with --data", dir)
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// syncDir has nothing to do: elsewhere a directory cannot be flushed, and names of files last with the file system's own journal.
func syncDir(string) error { return nil }
