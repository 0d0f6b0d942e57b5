package sqlite

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// What is deleted is written into a file beside the database before it is deleted, without a name: a backup of before brings it back, and the restore
// deletes it again.

const deletionsFile = "deletions"

// deletion is a line of the file: a log's epoch, or a data stream.
type deletion struct {
	Log        string `json:"log,omitempty"`
	Data       int64  `json:"data,omitempty"`       // its id within the database
	Name       string `json:"name,omitempty"`       // a hash of its name
	Generation uint64 `json:"generation,omitempty"` // of the database
	Soft       bool   `json:"soft,omitempty"`       // its forks are left
	Object     string `json:"object,omitempty"`     // one that was erased of the stream whose name's hash is Name
	Principal  string `json:"principal,omitempty"`  // a hash of one that was forgotten
	Not        bool   `json:"not,omitempty"`        // it was noted before, and not done
}

// hashedWhole is a hash of what nobody may guess by chance.
func hashedWhole(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// note makes the lines of deletions durable, before they are.
func (e *Engine) note(all []deletion) error {
	b := []byte("\n") // behind a line that was cut off
	for _, d := range all {
		line, err := json.Marshal(d)
		if err != nil {
			return err
		}
		b = append(append(b, line...), '\n')
	}
	f, err := os.OpenFile(filepath.Join(e.dir, deletionsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("note a deletion: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("note a deletion: %w", err)
	}
	return nil
}

// deleteAgain deletes what the file says was deleted, and a backup has brought back.
func (e *Engine) deleteAgain(ctx context.Context) (n int, err error) {
	f, err := os.Open(filepath.Join(e.dir, deletionsFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	revoked, err := revokedIn(f)
	if err != nil {
		return 0, err
	}
	lines, err := readLines(f) // before more of them come
	if err != nil {
		return 0, err
	}
	forgot := false
	defer func() {
		if err == nil && forgot {
			err = e.Scrub()
		}
	}()
	for _, line := range lines {
		var d deletion
		if json.Unmarshal(line, &d) != nil {
			continue // it was cut off: what it says was not done
		}
		if d.Not || revoked[d] {
			continue
		}
		if d.Object != "" {
			if !slices.Contains(e.erased, d) {
				e.erased = append(e.erased, d)
			}
			continue
		}
		if d.Principal != "" {
			names, err := e.principals(ctx)
			if err != nil {
				return n, err
			}
			for name := range names {
				if hashedWhole(name) == d.Principal {
					if err := e.Forget(ctx, name); err != nil {
						return n, err
					}
					forgot = true
				}
			}
			continue
		}
		if id, ok := action.ParseUUID(d.Log); ok {
			names, err := column[string](ctx, e.read, "SELECT name FROM streams WHERE name >= char(1) AND (epoch = ?1 OR id IN (SELECT stream FROM epochs WHERE epoch = ?1))", id[:])
			if err != nil {
				return n, err
			}
			for _, name := range names {
				if err := e.Delete(ctx, name); err != nil {
					return n, err
				}
				n++
			}
			continue
		}
		err := e.UpdateData(ctx, func(tx engine.DataTx) error {
			s, err := tx.DataStreamAt(tx.(*dataTx).global(uint64(d.Data)))
			if err != nil || s == nil || s.Deleted && d.Soft || hashed(s.Name) != d.Name || d.Generation < e.copied { // another one has its id
				return err
			}
			n++
			if d.Soft {
				s.Deleted, s.Expires = true, 0
				return tx.PutData(s)
			}
			return tx.RemoveData(s)
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func readLines(f *os.File) (all [][]byte, err error) {
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		all = append(all, slices.Clone(lines.Bytes()))
	}
	return all, lines.Err()
}

// principals are all that are named anywhere.
func (e *Engine) principals(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	for _, query := range []string{"SELECT by FROM entries UNION SELECT by FROM data_entries UNION SELECT by FROM clients UNION SELECT by FROM streams UNION SELECT by FROM data_streams UNION SELECT by FROM uses",
		"SELECT name FROM data_producers UNION SELECT producer FROM data_uploads WHERE stream <> 0"} { // these have the producer's name behind a zero
		names, err := column[string](ctx, e.read, query)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			principal, _, _ := strings.Cut(name, "\x00")
			all[principal] = true
		}
	}
	texts, err := column[string](ctx, e.read, "SELECT owners FROM checkpoints")
	for _, text := range texts {
		var owners map[string]string
		if json.Unmarshal([]byte(text), &owners) == nil {
			for _, owner := range owners {
				all[owner] = true
			}
		}
	}
	return all, err
}

// Erased lists the objects that were erased since the backup was made that this database came from: they are there again.
func (e *Engine) Erased(ctx context.Context) (objects map[string][]action.UUID, err error) {
	objects = map[string][]action.UUID{}
	if len(e.erased) == 0 {
		return objects, nil
	}
	names, err := column[string](ctx, e.read, "SELECT name FROM streams WHERE name >= char(1)")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		for _, d := range e.erased {
			if id, ok := action.ParseUUID(d.Object); ok && d.Name == hashedWhole(name) {
				objects[name] = append(objects[name], id)
			}
		}
	}
	return objects, nil
}

// ErasedAgain says that they are gone.
func (e *Engine) ErasedAgain() error {
	return e.submit(1, func(context.Context, *writeTx) (conflict, err error) { // the file is the writer's
		e.erased, e.instance.Erased = nil, nil
		return nil, e.instance.write(e.dir)
	})
}

// revokedIn reads what was noted and then not done, and goes back to the beginning.
func revokedIn(f *os.File) (map[deletion]bool, error) {
	out := map[deletion]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var d deletion
		if json.Unmarshal(lines.Bytes(), &d) != nil {
			continue
		}
		not := d.Not
		d.Not = false
		out[d] = not // the last word counts
	}
	_, err := f.Seek(0, io.SeekStart)
	return out, errors.Join(lines.Err(), err)
}
