//go:build unix

package main

import "golang.org/x/sys/unix"

// freeBytes are those that this user may still write where a directory is.
func freeBytes(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil
}
