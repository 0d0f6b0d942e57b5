package layering

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// docs/ERRORS.md has a row for every code of core, and for no other but those of JavaScript alone.
func TestEveryCodeIsDocumented(t *testing.T) {
	read := func(path string) string {
		b, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	codes := map[string]bool{"wasm": false, "restarted": false, "unsupported": false}
	for _, m := range regexp.MustCompile(`Code[A-Za-z]+ += "([a-z-]+)"`).FindAllStringSubmatch(read("core/action/errors.go"), -1) {
		codes[m[1]] = false
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(read("docs/ERRORS.md"), -1) {
		if seen, known := codes[m[1]]; !known || seen {
			t.Errorf("%s is documented twice, or is no code", m[1])
		}
		codes[m[1]] = true
	}
	for code, seen := range codes {
		if !seen {
			t.Errorf("%s is not documented", code)
		}
	}
}
