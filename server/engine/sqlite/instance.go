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
			"use strandline restore FILE --data %s, or take %s-wal away if the copy is the one to keep", path, dir, path)
	}
	return err
}

// began notes that the database is opened once more, and gives it new epochs where it is an older copy.
func (e *Engine) began(in *instance) error {
	id, err := e.meta("id")
	if err != nil {
		return err
	}
	text, err := e.meta("run")
	if err != nil {
		return err
	}
	run, _ := strconv.Atoi(text)
	if text, err = e.meta("generation"); err != nil {
		return err
	}
	e.generation, _ = strconv.ParseUint(text, 10, 64)
	fresh := id == ""
	if fresh {
		id = uuid.NewString()
	}
	if !fresh && (in == nil || in.ID != id || in.Run > run) {
		if err := e.renew(); err != nil {
			return fmt.Errorf("an older copy of the database is in its place: %w", err)
		}
		e.Renewed = true
	}
	if in != nil {
		run = max(run, in.Run)
	}
	run++
	tx, err := e.write.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for key, value := range map[string]string{"id": id, "run": strconv.Itoa(run), "generation": strconv.FormatUint(e.generation, 10)} {
		if err := putMeta(tx, key, value); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	e.instance = instance{ID: id, Run: run}
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
	e.instance.Moving = true
	if err := e.instance.write(e.dir); err != nil {
		return err
	}
	rows, err := e.write.QueryContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if e.instance.Header, err = headerOf(e.path); err != nil {
		return err
	}
	e.instance.Moving = false
	return e.instance.write(e.dir)
}
