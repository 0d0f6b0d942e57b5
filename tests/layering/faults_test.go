package layering

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Every test that docs/FAULTS.md names is there, and every row names one or says why there is none.
func TestEveryFaultHasItsTest(t *testing.T) {
	text, err := os.ReadFile("../../docs/FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "grep", "-h", "-o", "-E", "^func Test[A-Za-z0-9]+", "--", "*_test.go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(string(out), -1) {
		there[name] = true
	}
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(string(text), -1)
	if len(rows) < 50 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows[1:] {
		names := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(row[3], -1)
		for _, name := range names {
			if !there[name[1]] {
				t.Errorf("%s: there is no %s", row[1], name[1])
			}
		}
		if len(names) == 0 && !regexp.MustCompile(`\*not here\*|make |^(test|-+)$`).MatchString(row[3]) {
			t.Errorf("%s: no test", row[1])
		}
	}
}
