package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/uuid"
)

// Beside the database lies a file that says which one it is, and how far it had come: so an older copy that somebody puts in its place is known for
// what it is. What clients have seen of the newer one is then another log to them: each log gets a new epoch, and remembers those it had.
//
// A write-ahead log that is not of the database beside it would bring back what a copy was to undo, or damage it. So the first page of the database,
// which each checkpoint of SQLite's changes, is known too: where another file stands before the log, the engine does not open.

const instanceFile = "instance"

// instance is the file's content.
type instance struct {
	ID     string `json:"id"`
	Run    int    `json:"run"`    // how often the database was opened
	Header string `json:"header"` // a hash of its first bytes
	Moving bool   `json:"moving"` // they are being changed

	Generation uint64     `json:"generation,omitempty"` // of the database
	Erased     []deletion `json:"erased,omitempty"`     // objects that are to be erased again

	Again bool `json:"again,omitempty"` // what was deleted since a backup was made is to be deleted again
}

func readInstance(dir string) (*instance, error) {
	b, err := os.ReadFile(filepath.Join(dir, instanceFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := new(instance)
	if err := json.Unmarshal(b, in); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, instanceFile), err)
	}
	return in, nil
}

// write makes the file durable: another one is written, and takes its name.
func (in *instance) write(dir string) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, instanceFile), b)
}

func replaceFile(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// headerOf is a hash of a database's first page's head; empty where there is none.
func headerOf(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return "", nil // an empty one
	}
	sum := sha256.Sum256(head[:])
	return hex.EncodeToString(sum[:8]), nil
}

// sameFile refuses a database that is not the one whose write-ahead log lies beside it.
func sameFile(dir, path string, in *instance) error {
	wal, err := os.Stat(path + "-wal")
	if err != nil || wal.Size() == 0 || in == nil || in.Moving {
		return nil
	}
	header, err := headerOf(path)
	if err == nil && header != in.Header {
		err = fmt.Errorf("%s was replaced while the write-ahead log of the one before lay beside it, which would undo or damage it: "+
			"use strandline restore FILE --data %s", path, dir)
	}
	return err
}

// another tells whether the database of an id, which was opened so often and began with a header, is another one than the file beside it is of. One that
// has no id yet is new, or of an earlier format; where its first opening was broken off, the file has no runs.
func (in *instance) another(id string, run int, header string) bool {
	switch fresh := id == ""; {
	case in == nil:
		return !fresh
	case fresh:
		return in.Run > 0
	}
	return in.ID != id || in.Run > run || !in.Moving && in.Header != header
}

// began notes that the database is opened once more, and gives it new epochs where it is an older copy. header is what its file began with.
func (e *Engine) began(in *instance, header string) error {
	var texts [3]string
	for i, key := range []string{"id", "run", "generation"} {
		var err error
		if texts[i], err = e.meta(key); err != nil {
			return err
		}
	}
	id := texts[0]
	run, _ := strconv.Atoi(texts[1])
	e.generation, _ = strconv.ParseUint(texts[2], 10, 64)
	e.copied = e.generation
	now := instance{ID: id, Moving: true}
	if id == "" {
		now.ID = uuid.NewString()
	}
	if in != nil {
		e.erased = in.Erased
		now.Again, now.Erased, e.generation = in.Again, in.Erased, max(e.generation, in.Generation)
		if in.ID == id {
			run = max(run, in.Run)
		}
	}
	if in.another(id, run, header) {
		if err := e.renew(); err != nil {
			return fmt.Errorf("an older copy of the database is in its place: %w", err)
		}
		e.Renewed = true
	}
	now.Generation = e.generation
	if id == "" && !e.Renewed { // so that it is known to be begun
		e.instance = now
		if err := e.instance.write(e.dir); err != nil {
			return err
		}
	}
	now.Run = run + 1
	tx, err := e.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for key, value := range map[string]string{"id": now.ID, "run": strconv.Itoa(now.Run), "generation": strconv.FormatUint(e.generation, 10)} {
		if err := putMeta(tx, key, value); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	e.instance = now
	return e.checkpointWAL()
}

func (e *Engine) meta(key string) (value string, err error) {
	err = e.write.QueryRow("SELECT value FROM meta WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func putMeta(tx *sql.Tx, key, value string) error {
	_, err := tx.Exec("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// walBytes is after about how many written bytes the write-ahead log is brought into the database.
const walBytes = 4 << 20

// checkpointWAL brings the write-ahead log into the database. That its first page changes is said before, and what it is then, after.
func (e *Engine) checkpointWAL() error {
	_, err := e.bringIn("PASSIVE")
	return err
}

// bringIn does so in one of SQLite's modes, and tells whether all of it was.
func (e *Engine) bringIn(mode string) (done bool, err error) {
	e.instance.Moving = true
	if err := e.instance.write(e.dir); err != nil {
		return false, err
	}
	var busy, all, moved int
	if err := e.write.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &all, &moved); err != nil {
		return false, err
	}
	if e.instance.Header, err = headerOf(e.path); err != nil {
		return false, err
	}
	e.instance.Moving = false
	return busy == 0 && all == moved, e.instance.write(e.dir)
}
