// Package firstrun proves what somebody meets who has just cloned the project, and lacks something: one line that says what to do.
package firstrun

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// clone copies the sources into a folder, as git would.
func clone(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "strandline-clone-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // others run in it too
		t.Fatal(err)
	}
	to := filepath.Join(dir, name)
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split(strings.Trim(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", file))
		if os.IsNotExist(err) {
			continue // removed, not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, filepath.Dir(file)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// tools is a PATH with what a system has, and with a go that is the given script, or with none.
func tools(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"sh", "make", "sed", "find", "mkdir", "rm", "head", "tail", "cut", "sort", "printf", "id", "echo", "env", "grep", "mktemp", "cat"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue // the shell has it
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// without is this process's environment without what make has put there, and with some settings.
func without(settings ...string) []string {
	var out []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "MAKE") && !strings.HasPrefix(setting, "MFLAGS") && !strings.HasPrefix(setting, "GO") && !strings.HasPrefix(setting, "THEIR_") {
			out = append(out, setting)
		}
	}
	return append(out, settings...)
}

// refused wants one line of a command that fails, beside make's own.
func refused(t *testing.T, cmd *exec.Cmd, want ...string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it does what cannot be done:\n%s", out)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "make") && !strings.HasPrefix(line, "exec bin/strandline") && !strings.HasPrefix(line, "the data is kept in") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "strandline: ") {
		t.Fatalf("it says\n%s", out)
	}
	for _, part := range want {
		if !strings.Contains(lines[0], part) {
			t.Errorf("it does not say %q: %s", part, lines[0])
		}
	}
}

func TestWhatMakeSaysWhereSomethingIsMissing(t *testing.T) {
	dir := clone(t, "clone")
	old := func(version string) string {
		return `case "$1" in version) echo "go version ` + version + ` linux/amd64" ;; env) echo auto ;; *) echo "unknown command"; exit 2 ;; esac`
	}
	run := func(path string, settings ...string) *exec.Cmd {
		cmd := exec.Command("make", "demo")
		cmd.Dir, cmd.Env = dir, without(append(settings, "PATH="+path)...)
		return cmd
	}
	t.Run("no Go", func(t *testing.T) {
		refused(t, run(tools(t, "")), "there is no Go in PATH", "https://go.dev/dl", "1.21 or newer")
	})
	t.Run("a Go too old to fetch another", func(t *testing.T) {
		for _, version := range []string{"go1.9.7", "go1.19.8", "go1.20.14"} {
			refused(t, run(tools(t, old(version))), version+" is too old to fetch go1.", "https://go.dev/dl")
		}
	})
	t.Run("an older Go that may not fetch", func(t *testing.T) {
		refused(t, run(tools(t, old("go1.24.0")), "GOTOOLCHAIN=local"), "go1.24.0 is older than go1.26.0", "make GOTOOLCHAIN=auto")
	})
	t.Run("settings that nothing can be built with", func(t *testing.T) {
		settings := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(settings, []byte("GOOS=nonsense\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, run(os.Getenv("PATH"), "GOENV="+settings), "Go cannot build here", "go env")
	})
	t.Run("no network", func(t *testing.T) {
		empty := t.TempDir()
		refused(t, run(os.Getenv("PATH"), "GOMODCACHE="+empty, "GOPROXY=http://127.0.0.1:1", "GOFLAGS=-modcacherw"), "cannot be fetched", "connect to the network once")
	})
	t.Run("nothing can be written", func(t *testing.T) {
		locked := clone(t, "locked")
		for _, dir := range []string{locked, filepath.Join(locked, "bin")} { // without a folder for what is built, and with one
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(dir, 0o755) })
			cmd := run(os.Getenv("PATH"))
			cmd.Dir = locked
			if os.Geteuid() == 0 { // who may write everywhere
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			refused(t, cmd, "nothing can be written to", "copy the checkout")
			if err := os.Chmod(locked, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A path with blanks is like any other; a port that is taken is told.
func TestAPathWithBlanks(t *testing.T) {
	dir := clone(t, "a clone with blanks")
	make := func(args ...string) *exec.Cmd {
		cmd := exec.Command("make", args...)
		cmd.Dir, cmd.Env = dir, without("GOFLAGS=-nonsense", "GOEXPERIMENT=nonsense", "GOWORK=/nonsense")
		return cmd
	}
	if out, err := make("build").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	refused(t, make("demo", "ADDR="+taken.Addr().String()), "another program listens at "+taken.Addr().String(), "any free port")

	demo := make("demo", "ADDR=127.0.0.1:0", "DATA="+filepath.Join(dir, "my data"))
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		syscall.Kill(-demo.Process.Pid, syscall.SIGTERM)
		demo.Wait()
	}()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, is := strings.CutPrefix(lines.Text(), "strandline: "); is {
			resp, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Error(resp.Status)
			}
			return
		}
	}
	t.Fatal("make demo named no URL")
}
