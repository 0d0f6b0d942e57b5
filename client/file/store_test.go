package file_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/client/file"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/storetest"
)

// shows opens the file beside the store, for what is stored for pages.
type shows struct {
	*file.Store
	path string
	t    *testing.T
}

func (s shows) Shown(stream string) (map[locallog.LSN]string, map[string]string) {
	db, err := sql.Open("sqlite", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	shown, rows := map[locallog.LSN]string{}, map[string]string{}
	each := func(query string, put func(scan func(...any) error) error) {
		all, err := db.Query(query, stream)
		if err != nil {
			s.t.Fatal(err)
		}
		defer all.Close()
		for all.Next() {
			if err := put(all.Scan); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	each("SELECT lsn, body FROM shown WHERE stream = (SELECT id FROM streams WHERE name = ?)", func(scan func(...any) error) error {
		var lsn locallog.LSN
		var text string
		err := scan(&lsn, &text)
		shown[lsn] = text
		return err
	})
	each("SELECT page, body FROM rows WHERE stream = (SELECT id FROM streams WHERE name = ?)", func(scan func(...any) error) error {
		var page, text string
		err := scan(&page, &text)
		rows[page] = text
		return err
	})
	return shown, rows
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := filepath.Join(t.TempDir(), "local.db")
		return func(t *testing.T) locallog.Store {
			s, err := file.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return shows{s, path, t}
		}
	})
}

func TestANewerFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.db")
	s, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := file.Open(path); action.CodeOf(err) != action.CodeUpgrade {
		t.Errorf("%v", err)
	}
	if _, err := file.Open(t.TempDir()); action.CodeOf(err) != action.CodeStorage {
		t.Errorf("a directory: %v", err)
	}
}
