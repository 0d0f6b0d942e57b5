// Package toolchain finds the one Go that builds what is shipped: go.mod's toolchain line names it. Whoever builds may have any Go that can
// fetch it, and any settings: the same bytes come out.
package toolchain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Go is the pinned toolchain with the environment that it builds in.
type Go struct {
	Version string // such as go1.26.8
	Root    string // its GOROOT, by a path whose files go build -overlay may replace
	env     []string
}

// kept are the settings of Go that say from where and to where, and nothing of what is built.
var kept = []string{"GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH", "GOVCS"}

// Find asks for the toolchain that the module in dir names, which Go fetches where it is not there. It is reached through a link, dir/bin/goroot:
// go build -overlay replaces no file beneath the module cache, where every fetched toolchain lies.
func Find(dir string) (*Go, error) { return find(dir, link) }

// FindWithoutLinks is Find where a file system has no links: a toolchain in the module cache is used with a module cache of its own,
// dir/bin/modcache.
func FindWithoutLinks(dir string) (*Go, error) {
	return find(dir, func(string, string) error { return errors.ErrUnsupported })
}

func find(dir string, link func(target, name string) error) (*Go, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	pin, err := Pin(dir)
	if err != nil {
		return nil, err
	}
	settings, err := ask(pin)
	if err != nil {
		return nil, err
	}
	g := &Go{Version: pin, Root: filepath.Join(dir, "bin", "goroot")}
	if err := link(settings["GOROOT"], g.Root); err != nil {
		g.Root = settings["GOROOT"]
		if within(settings["GOROOT"], settings["GOMODCACHE"]) {
			settings["GOPROXY"] = fileURL(filepath.Join(settings["GOMODCACHE"], "cache", "download")) + "," + settings["GOPROXY"]
			settings["GOMODCACHE"] = filepath.Join(dir, "bin", "modcache")
		}
	}
	g.env = neutral()
	for _, name := range kept {
		if settings[name] != "" {
			g.env = append(g.env, name+"="+settings[name])
		}
	}
	// GOFLAGS has a value, so that the toolchain's own go.env gives it none.
	g.env = append(g.env, "GOENV=off", "GOTOOLCHAIN=local", "GOROOT="+g.Root, "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	return g, nil
}

// Command is a call of the toolchain, for another platform where goos is not empty.
func (g *Go) Command(goos, goarch string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(g.Root, "bin", "go"), args...)
	cmd.Env = slices.Clone(g.env)
	if goos != "" {
		cmd.Env = append(cmd.Env, "GOOS="+goos, "GOARCH="+goarch)
	}
	return cmd
}

// Pin is the toolchain that the module in dir names.
func Pin(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if pin, ok := strings.CutPrefix(line, "toolchain "); ok {
			return strings.TrimSpace(pin), nil
		}
	}
	return "", errors.New("go.mod names no toolchain")
}

// Check tells whether this program itself is run by the toolchain that the module in dir names.
func Check(dir string) error {
	pin, err := Pin(dir)
	if err == nil && runtime.Version() != pin {
		err = fmt.Errorf("this is %s, and what it makes would have other bytes: use make, or GOTOOLCHAIN=%s", runtime.Version(), pin)
	}
	return err
}

// ask gives the settings of Go as people have them, with the pinned toolchain.
func ask(pin string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"env", "-json", "GOROOT"}, kept...)...)
	cmd.Env = append(neutral(), "GOTOOLCHAIN="+pin, "GOWORK=off")
	for _, name := range append([]string{"GOENV"}, kept...) {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		last := strings.TrimSpace(said.String())
		last = last[strings.LastIndexByte(last, '\n')+1:]
		return nil, fmt.Errorf("%s, which builds what is shipped, cannot be had (%s): connect to the network once, or put it into PATH", pin, last)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return settings, nil
}

// neutral is the environment without anything that is Go's or cgo's.
func neutral() []string {
	return slices.DeleteFunc(os.Environ(), func(setting string) bool {
		return strings.HasPrefix(setting, "GO") || strings.HasPrefix(setting, "CGO_")
	})
}

// link makes name lead to target, whatever it led to before. Others may do the same at the same time.
func link(target, name string) error {
	if is, err := os.Readlink(name); err == nil && is == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(name), "link-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, "goroot")
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, name)
}

func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func fileURL(path string) string {
	return "file:///" + strings.TrimPrefix(strings.ReplaceAll(filepath.ToSlash(path), " ", "%20"), "/")
}
