package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"syscall"
)

// Where the disk is full when a server starts, or cannot be written, what is there can be read: nothing is written, not even the file that says which
// database this is. Each write is refused with the cause.

// unwritable tells whether an error is that nothing can be written where the directory is.
func unwritable(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}

// freeze opens the database to read, because it cannot be written.
func (e *Engine) freeze(in *instance, header string, because error) error {
	// What a write-ahead log holds has to be found without a file for that, by a connection that has the database to itself.
	about := url.Values{"_pragma": {"locking_mode(EXCLUSIVE)", "query_only(ON)", "busy_timeout(10000)"}}
	wal, err := os.Stat(e.path + "-wal")
	alone := err == nil && wal.Size() > 0
	if !alone {
		about = url.Values{"mode": {"ro"}, "immutable": {"1"}}
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: e.path}).EscapedPath()+"?"+about.Encode())
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if !alone {
		db.SetMaxOpenConns(4)
	}
	var version, run int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return errors.Join(because, cause(err))
	}
	if version != Format {
		return fmt.Errorf("its format %d is to be brought up to %d: %w", version, Format, because)
	}
	texts := map[string]string{}
	rows, err := db.Query("SELECT key, value FROM meta")
	if err != nil {
		return cause(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return cause(err)
		}
		texts[key] = value
	}
	if err := rows.Err(); err != nil {
		return cause(err)
	}
	run, _ = strconv.Atoi(texts["run"])
	if in.another(texts["id"], run, header) || in.Again || len(in.Erased) > 0 {
		return fmt.Errorf("what was restored has to be written first: %w", because)
	}
	e.generation, _ = strconv.ParseUint(texts["generation"], 10, 64)
	e.read, e.scan, e.Frozen = db, db, because
	e.instance = instance{} // so that nothing is written at the end
	close(e.done)
	close(e.dug)
	return nil
}
