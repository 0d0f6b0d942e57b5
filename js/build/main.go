// Command build makes the npm package's files in js/dist: the wasm, the ES module, the classic script, the script of the data streams
// that these load, both forms for service workers, which hold it, the script that holds all of it, and the types.
//
// The wasm is looked for beside the script under its content-hashed name, so that it can be cached for ever; every file also has a
// stable name.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/klauspost/compress/gzip" // not the standard library's, whose bytes are another Go's others

	"github.com/strandline-sync/strandline/js/build/toolchain"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run() error {
	const dist = "js/dist"
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	toolchain, err := toolchain.Find(".")
	if err != nil {
		return err
	}
	if err := sameGlue(toolchain.Root); err != nil {
		return err
	}
	stamp, err := stampOf("go.mod", "go.sum", "core", "idbstore", "wasm", "js/build")
	if err != nil {
		return err
	}
	version, err := packageVersion()
	if err != nil {
		return err
	}
	wasm := filepath.Join(dist, "strandline.wasm")
	if err := buildWasm(toolchain, stamp, wasm); err != nil {
		return err
	}
	hashed, err := hashedCopy(wasm)
	if err != nil {
		return err
	}
	// The data streams' script is loaded by the others, under its hashed name.
	data := filepath.Join(dist, "data.js")
	if err := bundle("js/src/entry/later.ts", data, nil); err != nil {
		return err
	}
	hashedData, err := hashedCopy(data)
	if err != nil {
		return err
	}
	names := map[string]string{"__WASM__": fmt.Sprintf("%q", "./"+hashed), "__DATA__": fmt.Sprintf("%q", "./"+hashedData),
		"__STAMP__": fmt.Sprintf("%q", stamp), "__VERSION__": fmt.Sprintf("%q", version)}
	for entry, out := range map[string]string{"entry/esm.ts": "strandline.js", "entry/classic.ts": "strandline.global.js", "entry/sw.ts": "sw.js", "entry/sw-classic.ts": "strandline.sw.js",
		"elements/inspector.ts": "inspector.js", "elements/status.ts": "status.js"} {
		if err := bundle("js/src/"+entry, filepath.Join(dist, out), names); err != nil {
			return err
		}
		if _, err := hashedCopy(filepath.Join(dist, out)); err != nil {
			return err
		}
	}
	// What only bundlers and Node load needs no hashed name.
	for entry, out := range map[string]string{"entry/node.ts": "node.js", "bindings/react.ts": "react.js", "bindings/vue.ts": "vue.js", "bindings/svelte.ts": "svelte.js",
		"bindings/solid.ts": "solid.js", "bindings/angular.ts": "angular.js"} {
		if err := bundle("js/src/"+entry, filepath.Join(dist, out), names); err != nil {
			return err
		}
	}
	if err := testServer(toolchain, names); err != nil {
		return err
	}
	if names["__PROGRAM__"], err = packed(wasm); err != nil {
		return err
	}
	if err := bundle("js/src/entry/all.ts", filepath.Join(dist, "strandline.all.js"), names); err != nil {
		return err
	}
	return os.CopyFS(dist, os.DirFS("js/types"))
}

// stampOf names the Go sources of a build: script and wasm of two builds refuse one another.
func stampOf(paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && entry.Name() == "testdata" {
				return fs.SkipDir
			}
			if err != nil || entry.IsDir() || !isSource(path) {
				return err
			}
			b, err := os.ReadFile(path)
			fmt.Fprintf(h, "%s %d\n", filepath.ToSlash(path), len(b))
			h.Write(b)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// isSource tells whether the program is built of a file; what editors and tests leave beside it does not count.
func isSource(path string) bool {
	name := filepath.Base(path)
	return name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".")
}

func packageVersion() (string, error) {
	b, err := os.ReadFile("js/package.json")
	if err != nil {
		return "", err
	}
	var p struct{ Version string }
	if err := json.Unmarshal(b, &p); err != nil || p.Version == "" {
		return "", fmt.Errorf("js/package.json names no version: %w", err)
	}
	return p.Version, nil
}

// testServer makes what tests of apps load: the server as a program, packed with gzip, and the script that runs it.
func testServer(g *toolchain.Go, names map[string]string) error {
	dir, err := os.MkdirTemp("", "strandline-testserver-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	wasm := filepath.Join(dir, "server.wasm")
	cmd := g.Command("js", "wasm", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", wasm, "github.com/strandline-sync/strandline/js/testserver")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the test server: %w", err)
	}
	b, err := zipped(wasm)
	if err != nil {
		return err
	}
	out := filepath.Join("js/dist", "test.wasm.gz")
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return err
	}
	names["__TESTSERVER__"] = `"./test.wasm.gz"`
	return bundle("js/src/entry/test.ts", filepath.Join("js/dist", "test.js"), names)
}

// packed gives a file as a string of JavaScript, with gzip and in base 64.
func packed(path string) (string, error) {
	b, err := zipped(path)
	return strconv.Quote(base64.StdEncoding.EncodeToString(b)), err
}

func zipped(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// hashedCopy writes a copy whose name tells its content, and gives that name.
func hashedCopy(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	name, ext, _ := strings.Cut(filepath.Base(path), ".")
	hashed := name + "." + hex.EncodeToString(sum[:5]) + "." + ext
	return hashed, os.WriteFile(filepath.Join(filepath.Dir(path), hashed), b, 0o644)
}

func bundle(entry, out string, names map[string]string) error {
	o := api.BuildOptions{
		EntryPoints: []string{entry}, Outfile: out, Bundle: true, Write: true,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Target: api.ES2022, Format: api.FormatESModule, LegalComments: api.LegalCommentsNone,
		Define: names, External: []string{"./data.*", "node:*", "react", "vue", "svelte/reactivity", "solid-js", "@angular/core"}, LogLevel: api.LogLevelWarning,
	}
	if strings.HasSuffix(entry, "classic.ts") || strings.HasSuffix(entry, "all.ts") {
		o.Format, o.GlobalName = api.FormatIIFE, "strandline"
	} else { // what bundlers load: who debugs an app sees the sources
		o.Sourcemap = api.SourceMapLinked
	}
	if r := api.Build(o); len(r.Errors) > 0 {
		return fmt.Errorf("bundle %s: %s", entry, r.Errors[0].Text)
	}
	return nil
}
