// Command toolchains builds the browser files as people do with each Go that they may have: by make with an installed one, and by hand with
// one that another Go has fetched; each over caches of its own. Then it sets each of Go's settings that could change a build
// to nonsense. The bytes must be the same every time.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	goversion "go/version"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

// needed is the Go that the dependencies need, which stands in go.mod.
const needed = "go1.26.0"

// versions are the oldest Go that fetches another, an older one, the one that the dependencies need, and a newer one; the pinned one comes in by
// itself.
var versions = []string{"go1.21.13", "go1.24.0", needed, "go1.27.3"}

// byMake and byHand build all that is shipped but the programs, which hold no more; found is where it is. make has its own mind about the
// toolchain; by hand, js/build is run by the one that people say.
var (
	byMake = [][]string{{"make", "js/dist/strandline.js", "web-demo/dist/index.html", "pack"}}
	byHand = append([][]string{{"go", "run", "./js/build"}}, byMake...)
	found  = []string{"js/dist/*", "web-demo/dist/*", "web-demo/dist/*/*", "bin/*.tgz"}
)

// settings are those that change what Go builds, or whether it does.
var settings = map[string]string{"GOFLAGS": "-nonsense", "GOEXPERIMENT": "nonsense", "GOWASM": "nonsense", "GOWORK": "/nonsense/go.work",
	"GOOS": "nonsense", "GOARCH": "nonsense", "CGO_ENABLED": "nonsense", "GOTOOLCHAIN": "go1.24.0", "GOROOT": "/nonsense", "GO111MODULE": "off",
	"GOFIPS140": "nonsense"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "toolchains:", err)
		os.Exit(1)
	}
}

// bench is a copy of the sources, and what it is built with.
type bench struct {
	tmp, source string
	modules     string            // the module cache of this machine, as a proxy
	want        map[string]string // file → hash, of the first build
	failed      bool
}

func run() error {
	tmp, err := os.MkdirTemp("", "strandline-toolchains-")
	if err != nil {
		return err
	}
	defer removeAll(tmp)
	pin, err := toolchain.Pin(".")
	if err != nil {
		return err
	}
	cache, err := output("", nil, "go", "env", "GOMODCACHE")
	if err != nil {
		return err
	}
	b := &bench{tmp: tmp, source: filepath.Join(tmp, "source"), modules: "file://" + filepath.Join(cache, "cache", "download")}
	if err := copySources(b.source); err != nil {
		return err
	}
	for _, version := range append([]string{pin}, versions...) {
		root, err := output(tmp, []string{"GOTOOLCHAIN=" + version}, "go", "env", "GOROOT")
		if err != nil {
			return fmt.Errorf("%s cannot be had: %w", version, err)
		}
		// Installed: its files lie in a place of their own, and it is the Go in PATH.
		installed := filepath.Join(tmp, version)
		if _, err := output("", nil, "cp", "-r", root, installed); err != nil {
			return err
		}
		b.try(version+" installed", byMake, []string{"PATH=" + filepath.Join(installed, "bin") + ":" + os.Getenv("PATH"), "GOTOOLCHAIN=auto"}, true)
		if err := removeAll(installed); err != nil {
			return err
		}
		if goversion.Compare(version, needed) >= 0 { // an older one refuses to run anything of this module
			b.try(version+" fetched", byHand, []string{"GOTOOLCHAIN=" + version}, true)
		}
	}
	for name, nonsense := range settings {
		b.try(name+"="+nonsense, byMake, []string{name + "=" + nonsense}, false)
	}
	if b.failed {
		return errors.New("not every Go builds the same bytes")
	}
	return nil
}

// try builds by some commands, over fresh caches or over those of this machine, and compares.
func (b *bench) try(what string, by [][]string, env []string, fresh bool) {
	began := time.Now()
	if fresh {
		caches := filepath.Join(b.tmp, "caches")
		defer removeAll(caches)
		env = append(env, "GOCACHE="+filepath.Join(caches, "build"), "GOMODCACHE="+filepath.Join(caches, "modules"), "GOPROXY="+b.modules+","+proxies())
	}
	for _, old := range []string{"bin", "js/dist", "web-demo/dist"} {
		if err := removeAll(filepath.Join(b.source, old)); err != nil {
			b.report(what, began, err)
			return
		}
	}
	for _, command := range by {
		if _, err := output(b.source, env, command[0], command[1:]...); err != nil {
			b.report(what, began, err)
			return
		}
	}
	got, err := hashes(b.source)
	if err == nil && b.want == nil {
		b.want = got
	}
	if len(got) != len(b.want) {
		err = errors.Join(err, fmt.Errorf("%d files, not %d", len(got), len(b.want)))
	}
	for name, hash := range got {
		if b.want[name] != hash {
			err = errors.Join(err, fmt.Errorf("%s is %s, not %s", name, hash, b.want[name]))
		}
	}
	b.report(what, began, err)
}

func (b *bench) report(what string, began time.Time, err error) {
	if err != nil {
		b.failed = true
		fmt.Printf("%-28s FAILS: %v\n", what, err)
		return
	}
	size := int64(0)
	if info, err := os.Stat(filepath.Join(b.source, "js/dist/strandline.wasm")); err == nil {
		size = info.Size()
	}
	fmt.Printf("%-28s %s %d bytes, %d files, %.0f s\n", what, b.want["js/dist/strandline.wasm"], size, len(b.want), time.Since(began).Seconds())
}

// proxies is where Go gets what is not in the module cache.
func proxies() string {
	list, err := output("", nil, "go", "env", "GOPROXY")
	if err != nil {
		return "off"
	}
	return list
}

// copySources copies what git knows, and what it does not know yet.
func copySources(to string) error {
	list, err := output("", nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for _, name := range strings.Split(strings.Trim(list, "\x00"), "\x00") {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func hashes(dir string) (map[string]string, error) {
	out := map[string]string{}
	for _, pattern := range found {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			return nil, fmt.Errorf("there is no %s: %w", pattern, err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue // what is in it has a pattern of its own
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(b)
			out[filepath.ToSlash(name)] = hex.EncodeToString(sum[:])
		}
	}
	return out, nil
}

// output runs a command with some settings more, and without what make has set for this program.
func output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	for _, setting := range os.Environ() {
		if key, _, _ := strings.Cut(setting, "="); !strings.HasPrefix(key, "MAKE") && key != "MFLAGS" && key != "GOTOOLCHAIN" && key != "GOWORK" {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// removeAll removes also what the module cache has made read-only.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
