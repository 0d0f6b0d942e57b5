package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What other bundlers than Vite make of the package works: webpack and Next.js find the wasm by themselves, beside what Rollup and esbuild make it is copied.
func TestBundlers(t *testing.T) {
	t.Parallel()
	app := installed(t)
	frameworks(t, app)
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	opened := func(t *testing.T, path string) *tab {
		tb := b.open(s.url + path)
		tb.t = t
		tb.eventually(`true`, `return window.ready !== undefined && Boolean(await ready)`)
		tb.want(`[true,true]`, `return await ready`)
		if len(*tb.console) > 0 {
			t.Error(*tb.console)
		}
		return tb
	}
	bundled := filepath.Join(app, "bundled")
	shown := func(t *testing.T, name string) {
		dir := filepath.Join(bundled, name)
		if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page(`<script type="module" src="main.js"></script>`)), 0o644); err != nil {
			t.Fatal(err)
		}
		publish(t, dir, "bundled-"+name)
		opened(t, "/bundled-"+name+"/")
	}
	t.Run("webpack", func(t *testing.T) {
		command(t, bundled, "webpack", "--config", "webpack.config.cjs")
		shown(t, "webpack")
	})
	t.Run("Rollup", func(t *testing.T) {
		command(t, bundled, "rollup", "-c", "rollup.config.mjs")
		shown(t, "rollup")
	})
	t.Run("esbuild", func(t *testing.T) {
		command(t, bundled, "esbuild", "main.js", "--bundle", "--format=esm", "--splitting", "--outdir=esbuild")
		wasm, err := filepath.Glob(filepath.Join(app, "node_modules/strandline/dist/strandline.*.wasm"))
		if err != nil || len(wasm) != 1 {
			t.Fatal(wasm, err)
		}
		text, err := os.ReadFile(wasm[0])
		if err == nil {
			err = os.WriteFile(filepath.Join(bundled, "esbuild", filepath.Base(wasm[0])), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		shown(t, "esbuild")
	})
	t.Run("Next.js", func(t *testing.T) {
		command(t, filepath.Join(app, "next"), "next", "build")
		out := filepath.Join(app, "next/out")
		html, err := os.ReadFile(filepath.Join(out, "index.html"))
		if err != nil || !strings.Contains(string(html), "<h1>opening</h1>") {
			t.Errorf("rendered without a browser it is %s (%v)", html, err)
		}
		publish(t, out, "next")
		tb := opened(t, "/next/")
		tb.want(`["open","1"]`, `return ["h1", "#count"].map((at) => document.querySelector(at).textContent)`)
	})
}

// The guide's test of an app, as Vitest runs it.
func TestTheGuideToTests(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join(root, "docs/TESTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```js vitest\n(.*?)```").FindSubmatch(guide)
	if found == nil {
		t.Fatal("the guide has no test")
	}
	app := installed(t)
	frameworks(t, app)
	if err := os.WriteFile(filepath.Join(app, "todos.test.js"), found[1], 0o644); err != nil {
		t.Fatal(err)
	}
	if out := command(t, app, "vitest", "run", "todos.test.js"); !strings.Contains(out, "1 passed") {
		t.Error(out)
	}
}
