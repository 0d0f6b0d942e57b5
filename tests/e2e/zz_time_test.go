package e2e

import (
	"fmt"
	"os"
	"testing"
)

func TestZZTime(t *testing.T) {
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	p := b.open(s.url)
	script, _ := os.ReadFile(os.Getenv("PROF_SCRIPT"))
	p.do("%s", string(script))
	for i := 0; i < 3; i++ {
		fmt.Println(p.do(`return await work()`))
	}
}
