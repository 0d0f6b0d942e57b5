package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/core/action"
)

func TestReplay(t *testing.T) {
	db, err := client.Open(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := db.Stream(t.Context(), "lists/1")
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Create("todo", map[string]any{"title": "one"})
	if err == nil {
		err = w.Durable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := db.Export(t.Context(), &text, false); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := replayBundle([]string{"--steps", "--rows", file("good", text.Bytes())}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		text []byte
		code string
	}{
		"cut":     {text.Bytes()[:text.Len()-15], action.CodeMalformed},
		"empty":   {nil, action.CodeMalformed},
		"json":    {[]byte("{}\n"), action.CodeMalformed},
		"newer":   {[]byte("{\"bundle\":2}\n"), action.CodeUpgrade},
		"differs": {regexp.MustCompile(`"hash":"[0-9a-f]{4}`).ReplaceAll(text.Bytes(), []byte(`"hash":"0000`)), ""},
		"damaged": {regexp.MustCompile(`"bytes":"AW`).ReplaceAll(text.Bytes(), []byte(`"bytes":"AX`)), ""},
	} {
		if err := replayBundle([]string{file(name, want.text)}); err == nil || want.code != "" && action.CodeOf(err) != want.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, args := range [][]string{nil, {filepath.Join(dir, "none")}, {"a", "b"}} {
		if err := replayBundle(args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
