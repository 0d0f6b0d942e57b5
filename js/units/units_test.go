// Package units runs the unit tests of the script, js/src/**/*.test.ts, in Node.
package units

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestUnits(t *testing.T) {
	var files []string
	err := filepath.WalkDir("../src", func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".test.ts") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal("no unit tests", err)
	}
	dir := t.TempDir()
	r := api.Build(api.BuildOptions{EntryPoints: files, Outdir: dir, Bundle: true, Format: api.FormatESModule, Platform: api.PlatformNode,
		Target: api.ES2022, OutExtension: map[string]string{".js": ".mjs"}, Sourcemap: api.SourceMapInline, Write: true})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	var built []string
	for _, f := range r.OutputFiles {
		built = append(built, f.Path)
	}
	cmd := exec.Command("node", append([]string{"--enable-source-maps", "--test", "--test-reporter=spec"}, built...)...)
	src, _ := filepath.Abs("../src")
	cmd.Env = append(os.Environ(), "STRANDLINE_SRC="+src)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (make npm installs Node)\n%s", err, out)
	}
	t.Logf("%s", out)
}
