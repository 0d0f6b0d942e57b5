package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A server is backed up while it runs, killed, restored and started: what was in the backup is there, under another epoch, and all is whole.
func TestBackupAndRestore(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "monday")
	server, url := start(t, "--data", data)
	must := func(stdin string, args ...string) string {
		t.Helper()
		out, errs, err := run(stdin, args...)
		if err != nil {
			t.Fatal(args, err, errs)
		}
		return out
	}
	must(op(1), "append", url, "s")
	if out := must("", "backup", file, "--data", data); !strings.Contains(out, "holds what") {
		t.Error(out)
	}
	must(op(2)+"\n"+op(3), "append", url, "s")
	if _, errs, err := run("", "restore", file, "--data", data); err == nil || !strings.Contains(errs, "in use by another process") {
		t.Errorf("a live directory: %v %s", err, errs)
	}
	if _, errs, err := run("", "backup", file, "--data", data); err == nil || !strings.Contains(errs, "is there already") {
		t.Errorf("a backup over another one: %v %s", err, errs)
	}
	server.Process.Signal(syscall.SIGKILL)
	server.Wait()
	if out := must("", "check", "--data", data); !strings.Contains(out, "is whole: 1 logs with 3 entries") {
		t.Error(out)
	}
	must("", "restore", file, "--data", data)
	for _, path := range [][]string{{"--data", data}, {file}} {
		if out := must("", append([]string{"check"}, path...)...); !strings.Contains(out, "is whole: 1 logs with 1 entries") {
			t.Error(out)
		}
	}
	_, url = start(t, "--data", data)
	if out := must(op(4), "append", url, "s"); !strings.HasPrefix(out, "2 ") {
		t.Errorf("the next entry: %s", out)
	}
	for name, args := range map[string][]string{
		"FILE to write":      {"backup"},
		"FILE of a backup":   {"restore"},
		"no such file":       {"restore", filepath.Join(data, "nothing"), "--data", t.TempDir()},
		"takes no argument":  {"check", "a", "b"},
		"no such file or di": {"check", "--data", filepath.Join(data, "nothing")},
	} {
		if _, errs, err := run("", args...); err == nil || !strings.Contains(errs, name) {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
}
