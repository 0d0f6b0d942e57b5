//go:build linux

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// logOf reads a log by its token's file.
func logOf(t *testing.T, url, token string) string {
	t.Helper()
	text, err := os.ReadFile(token)
	if err != nil {
		t.Fatal(err)
	}
	status, body := ask(t, http.DefaultClient, "GET", url+"/v1/log?stream=s", string(text))
	if status != 200 {
		t.Errorf("%d %s", status, body)
	}
	return body
}

// A server that starts on a full disk shows all that was acknowledged, also what a kill has left in the write-ahead log, takes nothing, and names the cause;
// once there is room it goes on. A restore onto it changes nothing.
func TestAFullDisk(t *testing.T) {
	for _, ends := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		disk := t.TempDir()
		if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=6m"); err != nil {
			t.Skipf("not run: there is no disk to fill: %v", err)
		}
		t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
		data, token := filepath.Join(disk, "data"), writeFile(t, "sesame")
		serve := []string{"--data", data, "--auth", "secret:" + token, "--min-free", "1"}
		server, url := start(t, serve...)
		if _, errs, err := run(op(1)+"\n"+op(2)+"\n"+op(3), "append", url, "s", "--token", token); err != nil {
			t.Fatal(err, errs)
		}
		server.Process.Signal(ends)
		server.Wait()
		backup := filepath.Join(t.TempDir(), "backup")
		if _, errs, err := run("", "backup", backup, "--data", data); err != nil {
			t.Fatal(err, errs)
		}
		fill := filepath.Join(disk, "fill")
		f, err := os.Create(fill)
		for chunk := make([]byte, 4096); err == nil; {
			_, err = f.Write(chunk)
		}
		f.Close()
		if _, errs, err := run("", "restore", backup, "--data", data); err == nil || !strings.Contains(errs, "space") && !strings.Contains(errs, "full") {
			t.Errorf("%v: restore: %v %s", ends, err, errs)
		}
		server, url = start(t, serve...)
		if log := logOf(t, url, token); strings.Count(log, `"create"`) != 3 {
			t.Errorf("%v: %s", ends, log)
		}
		if _, errs, err := run(op(4), "append", url, "s", "--token", token); err == nil {
			t.Errorf("%v: it takes what it cannot keep: %s", ends, errs)
		}
		if said := server.Stderr.(*said).String(); !strings.Contains(said, "no space left") {
			t.Errorf("%v: the log does not say why: %s", ends, said)
		}
		server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		_, url = start(t, serve...)
		if _, errs, err := run(op(4), "append", url, "s", "--token", token); err != nil {
			t.Errorf("%v: %v %s", ends, err, errs)
		}
		if log := logOf(t, url, token); strings.Count(log, `"create"`) != 4 || !strings.Contains(log, `"head":4`) {
			t.Errorf("%v: %s", ends, log)
		}
		if out, errs, err := run("", "check", "--data", data); err == nil { // a server holds it
			t.Error(out, errs)
		}
	}
}
