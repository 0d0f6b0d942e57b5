package toolchain

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module makes a directory whose go.mod names a toolchain, and with it a Go that is told to be what it is not.
func module(t *testing.T, pin string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.21\n\ntoolchain "+pin+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func here(t *testing.T) string {
	t.Helper()
	pin, err := Pin("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return pin
}

// Nothing that people have set of Go reaches a build, but for where things come from and go to.
func TestSettingsDoNotReachTheBuild(t *testing.T) {
	cache := t.TempDir()
	for name, value := range map[string]string{"GOFLAGS": "-nonsense", "GOEXPERIMENT": "nonsense", "GOWASM": "nonsense", "GOWORK": "nonsense",
		"GOOS": "plan9", "GODEBUG": "x=1", "GOFIPS140": "nonsense", "CGO_CFLAGS": "-nonsense", "GOROOT": "/nonsense", "GO111MODULE": "off",
		"GOTOOLCHAIN": "local", "GOCACHE": cache} {
		t.Setenv(name, value)
	}
	g, err := Find(module(t, here(t)))
	if err != nil {
		t.Fatal(err)
	}
	cmd := g.Command("js", "wasm", "env", "GOFLAGS", "GOEXPERIMENT", "GOWASM", "GOWORK", "GOOS", "GODEBUG", "CGO_ENABLED", "GOCACHE", "GOVERSION")
	out, err := cmd.CombinedOutput()
	want := []string{"-buildvcs=false", "", "", "off", "js", "", "0", cache, g.Version}
	if got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}

// Links that lead elsewhere are replaced: to the Go that was here yesterday, and to nothing.
func TestALinkThatLeadsElsewhere(t *testing.T) {
	dir := module(t, here(t))
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"/nowhere", t.TempDir()} {
		os.Remove(filepath.Join(dir, "bin", "goroot"))
		if err := os.Symlink(old, filepath.Join(dir, "bin", "goroot")); err != nil {
			t.Fatal(err)
		}
		g, err := Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(g.Root, "src", "runtime", "proc.go")); err != nil {
			t.Error(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "bin", "*")); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// Where there are no links, a fetched toolchain is used with a module cache of its own, which is filled from the one that is there.
func TestAFetchedToolchainWithoutLinks(t *testing.T) {
	dir := module(t, here(t))
	linked, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.EvalSymlinks(linked.Root)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", filepath.Dir(root)) // as if it had been fetched
	g, err := FindWithoutLinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.Command("", "", "env", "GOMODCACHE", "GOPROXY").Output()
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) < 2 || lines[0] != filepath.Join(dir, "bin", "modcache") || !strings.HasPrefix(lines[1], "file:///") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAToolchainThatCannotBeHad(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	_, err := Find(module(t, "go1.99.0"))
	if err == nil || !strings.Contains(err.Error(), "go1.99.0") || !strings.Contains(err.Error(), "connect to the network") || strings.Contains(err.Error(), "\n") {
		t.Errorf("it says: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(dir); err == nil || !strings.Contains(err.Error(), "names no toolchain") {
		t.Errorf("it says: %v", err)
	}
}
