// Command build makes the demo's files in web-demo/dist, from its sources and the built package in js/dist.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
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
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	assets := []string{"./"}
	for _, from := range []string{public, lib} {
		names, err := wanted(from)
		if err != nil {
			return err
		}
		for _, name := range names {
			b, err := os.ReadFile(filepath.Join(from, name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dist, name), b, 0o644); err != nil {
				return err
			}
			if name != "index.html" {
				assets = append(assets, name)
			}
		}
	}
	script, err := hashedScript()
	if err != nil {
		return err
	}
	if err := bundle("app", map[string]string{}, script); err != nil {
		return err
	}
	assets = append(assets, "app.js")
	slices.Sort(assets)
	version, err := versionOf(dist)
	if err != nil {
		return err
	}
	list, err := json.Marshal(assets)
	if err != nil {
		return err
	}
	return bundle("sw", map[string]string{"__VERSION__": fmt.Sprintf("%q", version), "__ASSETS__": string(list)}, script)
}

// wanted lists the files of a folder that the demo ships: of the package only the hashed module and wasm.
func wanted(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		parts := strings.Split(f.Name(), ".")
		if dir == lib && (len(parts) != 3 || parts[1] == "d" || parts[1] == "global") {
			continue
		}
		names = append(names, f.Name())
	}
	return names, nil
}

func hashedScript() (string, error) {
	names, err := wanted(lib)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".js") {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s has no hashed module; run make build", lib)
}

// bundle makes one script; the package stays outside of it, beside the page.
func bundle(name string, define map[string]string, script string) error {
	outside := api.Plugin{Name: "strandline", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `^strandline$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: "./" + script, External: true}, nil
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
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", f.Name(), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
