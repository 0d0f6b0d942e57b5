// Package units runs the unit tests of the script, js/src/**/*.test.ts, in Node.
package units

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

func TestUnits(t *testing.T) {
	succeeds(t, "", "")
}

// TestReplay puts what the simulator's histories give to pages into the script's tables.
func TestReplay(t *testing.T) {
	dir := changes(t, 24)
	for _, kind := range []string{"*.jsonl", "*.shown"} {
		if files, _ := filepath.Glob(filepath.Join(dir, kind)); len(files) < 10 {
			t.Fatalf("%d files %s", len(files), kind)
		}
	}
	succeeds(t, dir, "replay")
}

func succeeds(t *testing.T, changes, part string) {
	began := time.Now()
	out, err := run(t, t.TempDir(), changes, part, nil)
	if err != nil {
		t.Fatalf("%v (make npm installs Node)\n%s", err, out)
	}
	t.Logf("%s%v, with bundling", out, time.Since(began).Round(time.Millisecond))
}

// run bundles the unit tests whose path has such a part, through plugins, and runs them.
func run(t *testing.T, dir, changes, part string, plugins []api.Plugin) ([]byte, error) {
	var files []string
	err := filepath.WalkDir("../src", func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".test.ts") && strings.Contains(path, part) {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal("no unit tests", err)
	}
	// One process for a folder: Node takes longer to begin than most tests.
	rooms := map[string]string{}
	for _, path := range files {
		path, _ = filepath.Abs(path)
		room := filepath.Base(filepath.Dir(path))
		rooms[room] += "import " + strconv.Quote(path) + ";\n"
	}
	files = nil
	for room, text := range rooms {
		entry := filepath.Join(t.TempDir(), room+".ts")
		if err := os.WriteFile(entry, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, entry)
	}
	r := api.Build(api.BuildOptions{IgnoreAnnotations: true, EntryPoints: files, Outdir: dir, Bundle: true, Format: api.FormatESModule, Platform: api.PlatformNode,
		Target: api.ES2022, OutExtension: map[string]string{".js": ".mjs"}, Sourcemap: api.SourceMapInline, Write: true, Plugins: plugins})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	cmd := exec.Command("node", "--enable-source-maps", "--test", "--test-reporter=spec")
	for _, f := range r.OutputFiles {
		cmd.Args = append(cmd.Args, f.Path)
	}
	src, _ := filepath.Abs("../src")
	cmd.Env = append(os.Environ(), "STRANDLINE_SRC="+src, "STRANDLINE_CHANGES="+changes)
	return cmd.CombinedOutput()
}

// changes has the simulator write what pages are given in its histories.
func changes(t *testing.T, n int, flags ...string) string {
	dir := t.TempDir()
	cmd := exec.Command("go", append(append([]string{"test"}, flags...), "../../tests/sim", "-count=1", "-run", "^TestHistories$",
		"-histories", strconv.Itoa(n), "-seed", "7000", "-changes", dir)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
