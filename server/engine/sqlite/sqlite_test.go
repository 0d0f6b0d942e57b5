package sqlite_test

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/enginetest"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) engine.Engine {
		e, err := sqlite.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	})
}

func TestTheDataDirectoryIsHeldAlone(t *testing.T) {
	dir := t.TempDir()
	e, err := sqlite.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("a second one: %v", err)
	}
	if err := e.Append(t.Context(), "a", action.UUID{1}, 0, []engine.Entry{{Raw: "{}"}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err = sqlite.Open(dir)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	defer e.Close()
	if log, err := e.Log(t.Context(), "a"); err != nil || log.Head != 1 {
		t.Fatalf("%+v, %v", log, err)
	}
}
