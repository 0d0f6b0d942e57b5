// Package node runs the package's own tests in Node: the runtime without a browser, over memory, and what strandline/test gives to tests of apps.
package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestNode(t *testing.T) {
	js, err := filepath.Abs("../../js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(js, "dist", "node.js")); err != nil {
		t.Fatal("the package is not built: make build")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(js, filepath.Join(dir, "node_modules", "strandline")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	args := []string{"--test", "--test-reporter=spec"}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	cmd := exec.Command("node", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
