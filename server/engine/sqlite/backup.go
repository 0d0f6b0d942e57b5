package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Backup writes a whole copy of a data directory's database into a file, which must not be there yet, while a server uses the directory or not. What was
// acknowledged before the call is in it. It is durable when Backup returns, and small: nothing of what was deleted is in it.
func Backup(ctx context.Context, dir, file string) (err error) {
	path := filepath.Join(dir, "strandline.db")
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already", file)
	}
	db, err := openToRead(path)
	if err != nil {
		return err
	}
	defer db.Close()
	made := file + ".part"
	if err := os.Remove(made); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer os.Remove(made)
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", made); err != nil {
		return fmt.Errorf("copy the database: %w", cause(err))
	}
	f, err := os.OpenFile(made, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(made, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// Restore puts a backup in the place of a data directory's database. A directory that a server holds is refused, and so is a file that is damaged or of a
// newer format: then nothing has changed. What was deleted since the backup was made is deleted again, where again is not said to be false. Each log gets
// a new epoch when it is opened: what clients have seen since the backup is another log to them.
func Restore(ctx context.Context, file, dir string, again bool) (deleted int, err error) {
	if info, err := os.Stat(file); err != nil {
		return 0, err
	} else if info.IsDir() {
		return 0, fmt.Errorf("%s is a directory, and no backup", file)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("make the data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return 0, err
	}
	defer func() {
		if lock != nil {
			lock.Close()
		}
	}()
	if wal, err := os.Stat(file + "-wal"); err == nil && wal.Size() > 0 {
		return 0, fmt.Errorf("%s is a database in use, or was when its server ended: what its write-ahead log holds would be lost; make a backup of it", file)
	}
	wrong, _, _, err := Check(ctx, file)
	if err != nil {
		return 0, err
	}
	if len(wrong) > 0 {
		return 0, fmt.Errorf("%s is damaged: %s", file, wrong[0])
	}
	path := filepath.Join(dir, "strandline.db")
	if err := copyFile(file, path+".restored"); err != nil {
		return 0, err
	}
	defer os.Remove(path + ".restored")
	// From here on what is in the directory is another database: also where this ends in the middle.
	in, err := readInstance(dir)
	if err != nil {
		return 0, err
	}
	mark := instance{ID: "restored", Run: 1, Moving: true, Again: again}
	if in != nil {
		mark.Generation = in.Generation
	}
	if err := mark.write(dir); err != nil {
		return 0, err
	}
	for _, old := range []string{path + "-wal", path + "-shm"} { // they are of the database that goes: kept, they would undo or damage this one
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	if err := os.Rename(path+".restored", path); err != nil {
		return 0, err
	}
	if !again {
		if err := os.Rename(filepath.Join(dir, deletionsFile), filepath.Join(dir, deletionsFile+".undone")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	if err := syncDir(dir); err != nil {
		return 0, err
	}
	lock.Close()
	lock = nil
	e, err := Open(dir)
	if err != nil {
		return 0, err
	}
	return e.again, e.Close()
}

// copyFile makes a durable copy.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
