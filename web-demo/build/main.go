// Command build makes the demo's files in web-demo/dist, from its sources and the built package in js/dist.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

const (
	dist   = "web-demo/dist"
	public = "web-demo/public"
	lib    = "js/dist"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := toolchain.Check("."); err != nil { // another one compresses the icons in another way
		return err
	}
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	assets, err := copyFiles()
	if err != nil {
		return err
	}
	modules, err := hashedModules()
	if err != nil {
		return err
	}
	for _, script := range []string{"app", "phones", "notes", "inspect"} {
		if err := bundle(script, map[string]string{}, modules); err != nil {
			return err
		}
		assets = append(assets, script+".js")
	}
	for _, size := range []int{192, 512} {
		name := fmt.Sprintf("icon-%d.png", size)
		if err := os.WriteFile(filepath.Join(dist, name), icon(size), 0o644); err != nil {
			return err
		}
		assets = append(assets, name)
	}
	slices.Sort(assets)
	version, err := versionOf(dist)
	if err != nil {
		return err
	}
	list, err := json.Marshal(assets)
	if err != nil {
		return err
	}
	return bundle("sw", map[string]string{"__VERSION__": fmt.Sprintf("%q", version), "__ASSETS__": string(list), "__STRANDLINE__": fmt.Sprintf("%q", modules["strandline/sw"])}, modules)
}

// copyFiles brings what is shipped as it is into dist, and lists it as the service worker keeps it: a folder stands for its index.html.
func copyFiles() (assets []string, err error) {
	for _, from := range []string{public, lib} {
		err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || from == lib && !shipped(entry.Name()) {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			to := filepath.Join(dist, name)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			if folder, isIndex := strings.CutSuffix(name, "index.html"); isIndex {
				name = "./" + folder
			}
			if !strings.HasSuffix(name, ".sw.js") { // that one the browser keeps with the service worker
				assets = append(assets, name)
			}
			return os.WriteFile(to, b, 0o644)
		})
		if err != nil {
			return nil, err
		}
	}
	return assets, nil
}

// shipped tells what of the package the demo ships: the hashed modules, the service worker's script and the wasm.
func shipped(name string) bool {
	parts := strings.Split(name, ".")
	switch {
	case strings.HasSuffix(name, ".map"):
		return false
	case strings.HasSuffix(name, ".sw.js"):
		return len(parts) == 4
	case parts[0] == "sw" || parts[0] == "test" || parts[1] == "d" || parts[1] == "global" || parts[1] == "all":
		return false
	}
	return len(parts) == 3
}

// hashedModules gives the package's modules by the name that they are imported by.
func hashedModules() (map[string]string, error) {
	files, err := os.ReadDir(lib)
	if err != nil {
		return nil, err
	}
	modules := map[string]string{}
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, ".sw.js") && shipped(name) {
			modules["strandline/sw"] = "./" + name
		} else if shipped(name) && strings.HasSuffix(name, ".js") {
			module, _, _ := strings.Cut(name, ".")
			modules[map[string]string{"strandline": "strandline", "inspector": "strandline/inspector", "status": "strandline/status", "data": "strandline/data"}[module]] = "./" + name
		}
	}
	if len(modules) != 5 {
		return nil, fmt.Errorf("%s has not the five hashed scripts; run make build", lib)
	}
	return modules, nil
}

// bundle makes one script; the package's modules stay outside of it, beside the page.
func bundle(name string, define, modules map[string]string) error {
	outside := api.Plugin{Name: "strandline", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `^strandline`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: modules[a.Path], External: true}, nil
		})
	}}
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{"web-demo/src/" + name + ".ts"}, Outfile: filepath.Join(dist, name+".js"), Bundle: true, Write: true,
		MinifyWhitespace: true, MinifySyntax: true, Target: api.ES2022, Format: api.FormatESModule, Define: define,
		Plugins: []api.Plugin{outside}, LogLevel: api.LogLevelWarning,
	})
	if len(r.Errors) > 0 {
		return fmt.Errorf("bundle %s: %s", name, r.Errors[0].Text)
	}
	return nil
}

// versionOf names the content of all files.
func versionOf(dir string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", filepath.ToSlash(path), len(b))
		h.Write(b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}
