package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
)

// quickBytes is up to which size a database is looked over when it is opened.
const quickBytes = 256 << 20

// sound refuses a database whose pages do not fit together.
func (e *Engine) sound() error {
	info, err := os.Stat(e.path)
	if err != nil || info.Size() > quickBytes {
		return err
	}
	return integrity(e.write, "quick_check")
}

func integrity(db *sql.DB, pragma string) error {
	rows, err := db.Query("PRAGMA " + pragma + "(10)")
	if err != nil {
		return cause(err)
	}
	defer rows.Close()
	var wrong []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return cause(err)
		}
		if line != "ok" {
			wrong = append(wrong, line)
		}
	}
	if err := rows.Err(); err != nil {
		return cause(err)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the database is damaged: restore a backup: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// Check looks at all that a data directory, or a backup, holds: the database's pages, each log's chain, each checksum. It tells what is wrong, and
// how many logs and entries it has looked at. Nobody else may hold the directory.
func Check(ctx context.Context, path string) (wrong []string, logs, entries int, err error) {
	if info, err := os.Stat(path); err != nil {
		return nil, 0, 0, err
	} else if info.IsDir() {
		lock, err := lockDir(path)
		if err != nil {
			return nil, 0, 0, err
		}
		defer lock.Close()
		in, err := readInstance(path)
		if err == nil {
			err = sameFile(path, filepath.Join(path, "strandline.db"), in)
		}
		if err != nil {
			return nil, 0, 0, err
		}
		path = filepath.Join(path, "strandline.db")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, 0, 0, err
	}
	db, err := openToRead(path)
	if err != nil {
		return nil, 0, 0, err
	}
	defer db.Close()
	if err := integrity(db, "integrity_check"); err != nil {
		return []string{err.Error()}, 0, 0, nil
	}
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version == 0 || version > Format {
		return nil, 0, 0, errors.Join(err, fmt.Errorf("%s has the format %d; this program knows up to %d", path, version, Format))
	}
	rows, err := db.QueryContext(ctx, "SELECT s.name, e.idx, e.chain, e.body FROM streams s JOIN entries e ON e.stream = s.id WHERE s.name >= char(1) ORDER BY s.id, e.idx")
	if err != nil {
		return nil, 0, 0, cause(err)
	}
	defer rows.Close()
	last, chain, index, bad := "", action.Chain(0), uint64(0), ""
	for rows.Next() {
		var name, body string
		var at uint64
		var stored int64
		if err := rows.Scan(&name, &at, &stored, &body); err != nil {
			return nil, 0, 0, cause(err)
		}
		if entries++; name != last {
			logs++
			last, index, bad = name, at-1, ""
			if chain = 0; at > 1 { // the first one that is kept
				chain, index = action.Chain(stored), at
				continue
			}
		}
		if bad == name {
			continue
		}
		if next := chain.Next(body); at != index+1 || next != action.Chain(stored) {
			wrong = append(wrong, fmt.Sprintf("log %q: entry %d does not follow the one before it", name, at))
			bad = name
		}
		chain, index = action.Chain(stored), at
	}
	if err := rows.Err(); err != nil {
		return nil, 0, 0, cause(err)
	}
	for table, of := range map[string]string{"data_entries": "stream", "data_parts": "upload"} {
		if version < 4 {
			break
		}
		bodies, err := db.QueryContext(ctx, "SELECT "+of+", body, sum FROM "+table+" WHERE body IS NOT NULL")
		if err != nil {
			return nil, 0, 0, cause(err)
		}
		for bodies.Next() {
			var id int64
			var body []byte
			var sum sql.NullInt64
			if err := bodies.Scan(&id, &body, &sum); err != nil {
				bodies.Close()
				return nil, 0, 0, cause(err)
			}
			if !intact(body, sum) {
				wrong = append(wrong, fmt.Sprintf("%s of %s %d: a body does not match its checksum", table, of, id))
			}
		}
		if err := errors.Join(bodies.Err(), bodies.Close()); err != nil {
			return nil, 0, 0, cause(err)
		}
	}
	return wrong, logs, entries, nil
}
